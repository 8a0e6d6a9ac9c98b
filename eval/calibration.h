#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// Which bin a confidence on an edge falls into. `standard`: [lo, hi), the last closed (NumPy, netcal,
/// robustness_metrics). `guo`: (lo, hi], confidence 0 in no bin (Guo et al. 2017, gpleiss).
enum class BinEdges { standard, guo };

/// The bin of a confidence in [0, 1]; −1 where the convention has none for it. Edge b is the double nearest
/// to b / bins, and the comparison is made in double precision.
int confidence_bin(double confidence, int bins, BinEdges edges);

/// Confidence histogram of the paper's ECE: sums over the rows of each equal-width bin.
struct ReliabilityBins {
  std::vector<double> count, confidence, correct;
  /// Throws UsageError for bins < 1.
  explicit ReliabilityBins(int bins = 15);
  /// Adds a row; bin −1 leaves it out.
  void add(int bin, double row_confidence, bool row_correct);
  /// Throws UsageError where the numbers of bins differ.
  void merge(const ReliabilityBins& other);
  void clear();
  /// Σ_b n_b/N · |acc_b − conf_b| (Guo et al. 2017), N: all rows, those in no bin too.
  double expected_error(double rows) const;
  /// max_b |acc_b − conf_b| over the bins that are not empty.
  double maximum_error() const;
};

/// Metrics of a set of rows at one temperature.
struct CalibrationSums {
  explicit CalibrationSums(int bins = 15) : standard(bins), guo(bins) {}
  double rows = 0, correct = 0, top5 = 0, nll = 0, brier = 0;
  ReliabilityBins standard, guo;
  void merge(const CalibrationSums& other);
  void clear();
  double accuracy() const { return correct / rows; }
  double top5_accuracy() const { return top5 / rows; }
  /// Mean −log p of the true class, in nats.
  double mean_nll() const { return nll / rows; }
  /// Mean Σ_k (p_k − y_k)², in [0, 2].
  double mean_brier() const { return brier / rows; }
  double ece(BinEdges edges = BinEdges::standard) const;
  /// As a flat vector of doubles and back, for an allreduce over ranks.
  std::vector<double> pack() const;
  /// Throws UsageError where the length is not that of this number of bins.
  void unpack(const std::vector<double>& packed);
};

/// Adds rows [n, K] to sums, softmax(logits / temperature). Ties in the argmax go to the lowest class, and
/// so do ties around the fifth place. Precision: see row_judge.h. Throws DataError for K < 2, a
/// label outside 0..K−1 or a logit that is not finite (naming row and class), UsageError for a temperature
/// that is not positive and finite. Rows before a bad one have been added then.
void accumulate_calibration(const float* logits, const int64_t* labels, int64_t n, int64_t classes,
                            double temperature, CalibrationSums& sums);

}  // namespace smoothlab::eval
