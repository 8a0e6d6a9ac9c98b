#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// Sums of exponentials of one row at many temperatures, in double precision. Where a grid has T and 2T, the
/// exponentials at T are the squares of those at 2T: one octave is computed and the others follow.
class ExponentialSums {
 public:
  explicit ExponentialSums(const std::vector<double>& temperatures);
  /// sums[j] = Σ_k exp((z_k − maximum) / T_j), to a few units of 2⁻⁵³. maximum: the greatest of z [classes].
  void of(const float* z, int64_t classes, float maximum, double* sums) const;

 private:
  struct Chain {
    double beta;                      // 1 / T of its highest temperature
    std::vector<size_t> temperature;  // numbers in the grid, each half of the one before
  };
  size_t grid_;
  std::vector<Chain> chains_;
};

}  // namespace smoothlab::eval
