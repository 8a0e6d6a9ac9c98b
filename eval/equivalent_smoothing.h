#pragma once

#include <cstdint>
#include <vector>

#include "eval/logit_file.h"

namespace smoothlab::eval {

/// γ, the label smoothing that a teacher's outputs come to (paper sec. 4): the mean over the training set of
/// Σ_{k≠y} p_k(T) · K/(K−1), at several temperatures T at once. Of targets smoothed by α it is α, of a
/// one-hot teacher 0, of a uniform one 1.
class EquivalentSmoothing {
 public:
  /// classes: K ≥ 2. Throws UsageError for a temperature that is not positive and finite.
  EquivalentSmoothing(std::vector<double> temperatures, int64_t classes);

  /// Adds rows: logits [n, K], labels [n] in [0, K).
  void add(const float* logits, const int64_t* labels, int64_t n);

  double rows() const { return sums_.back(); }
  /// γ at each temperature; NaN without rows.
  std::vector<double> gamma() const;
  /// The mass off the true class at each temperature, summed over rows, and the number of rows: what ranks
  /// add up.
  std::vector<double>& sums() { return sums_; }

 private:
  std::vector<double> temperatures_;
  int64_t classes_;
  std::vector<double> sums_;
};

/// Of all rows of a file. Throws DataError for labels and logits that are none.
EquivalentSmoothing equivalent_smoothing(const LogitFile& file, const std::vector<double>& temperatures);

}  // namespace smoothlab::eval
