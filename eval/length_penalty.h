#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// ((5 + L) / 6)^alpha, what log P is divided by to rank hypotheses of unlike length: Wu et al. 2016 (GNMT),
/// equation 14, as tensor2tensor counts. L is the tokens of the output with its end token, so an empty
/// translation has L = 1 and penalty 1. alpha = 0: none. Never falls with L, also by rounding.
class LengthPenalty {
 public:
  /// For L from 1 to `longest`. Throws UsageError for an alpha outside 0 … 10.
  LengthPenalty(double alpha, int64_t longest);
  double at(int64_t length) const { return values_[static_cast<size_t>(length)]; }

 private:
  std::vector<double> values_;
};

}  // namespace smoothlab::eval
