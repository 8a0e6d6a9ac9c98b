#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// Which bin a confidence on an edge falls into. `standard`: [lo, hi), the last closed (NumPy, netcal,
/// robustness_metrics). `guo`: (lo, hi], confidence 0 in no bin (Guo et al. 2017, gpleiss).
enum class BinEdges { standard, guo };

/// Confidence histogram of the paper's ECE: sums over the rows of each equal-width bin.
struct ReliabilityBins {
  std::vector<double> count, confidence, correct;
  explicit ReliabilityBins(int bins = 15) : count(bins), confidence(bins), correct(bins) {}
  void merge(const ReliabilityBins& other);
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
  double accuracy() const { return correct / rows; }
  double top5_accuracy() const { return top5 / rows; }
  /// Mean −log p of the true class, in nats.
  double mean_nll() const { return nll / rows; }
  /// Mean Σ_k (p_k − y_k)², in [0, 2].
  double mean_brier() const { return brier / rows; }
  double ece(BinEdges edges = BinEdges::standard) const;
  /// As a flat vector of doubles and back, for an allreduce over ranks.
  std::vector<double> pack() const;
  void unpack(const std::vector<double>& packed);
};

/// Adds rows [n, K] to sums, softmax(logits / temperature). Ties in the argmax go to the lowest class.
void accumulate_calibration(const float* logits, const int64_t* labels, int64_t n, int64_t classes,
                            double temperature, CalibrationSums& sums);

}  // namespace smoothlab::eval
