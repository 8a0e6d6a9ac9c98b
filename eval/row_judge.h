#pragma once

#include <cstdint>

#include "eval/calibration.h"
#include "eval/row_kernels.h"

namespace smoothlab::eval {

/// A row at one temperature.
struct JudgedRow {
  double confidence = 0;  ///< max_k p_k
  double nll = 0;         ///< −log p of the true class, nats
  double brier = 0;       ///< Σ_k (p_k − y_k)²
  bool correct = false, top5 = false;
  int standard = 0, guo = 0;  ///< bins
};

/// Judges one row after the other. Exponentials are taken in single precision, sums across them in double;
/// where a confidence is within 2·10⁻⁶ (relative) of a bin's edge the row's softmax is computed again in
/// double, so that the bin is the one that exact arithmetic gives.
class RowJudge {
 public:
  RowJudge(int64_t classes, int bins);

  /// Takes a row [K] with its label in 0..K−1. It must stay alive while it is being judged. False where a
  /// logit is NaN or infinite; the row is then not to be judged.
  bool take(const float* logits, int64_t label);
  /// softmax(beta · logits); beta = 1 / temperature. Where `next` is given, the next call will be for it: if
  /// it is near beta, the two share most of their work.
  const JudgedRow& judge(double beta, double next = 0);
  void add_to(CalibrationSums& sums) const;

  // Of the row and temperature last judged:
  const JudgedRow& judged() const { return row_; }
  const float* exponentials() const { return exponentials_.data(); }  ///< [padded K], exp(β (z_k − max))
  double scale() const { return scale_; }                             ///< p_k = exponentials()[k] · scale()
  double exact_probability(int64_t k);
  /// The `standard` bin of p_k.
  int probability_bin(int64_t k);

  /// Of the row taken: Σ_k p_k z_k − z_y, the derivative of its NLL by β, and the second derivative.
  void slopes(SlopeNodes nodes, double* first, double* second) const;

 private:
  RowSums exponentials_at(double beta, double next);
  bool near_edge(double probability) const;
  int bin_away_from_edges(double probability) const;
  double exact_sum();

  int64_t classes_;
  int bins_;
  FloatLanes exponentials_, next_exponentials_;
  RowSums next_sums_{};
  double next_beta_ = 0;  // 0: nothing is there
  const float* logits_ = nullptr;
  int64_t label_ = 0, before_ = 0;
  float maximum_ = 0;
  double margin_ = 0, beta_ = 1, scale_ = 1, exact_sum_ = 0;
  JudgedRow row_;
};

}  // namespace smoothlab::eval
