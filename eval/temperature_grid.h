#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "eval/temperature.h"

namespace smoothlab::eval {

/// Values that are known at some temperatures and wanted at others: the polynomial in log T through the 10
/// nearest. For log Σ exp(z/T) of a row on the grid of logit_summary.h, the hardest rows of up to 37,000
/// classes that the tests know are off by 10⁻⁶ at most where T is 0.3 to 3.3, and by 2·10⁻⁵ nearer to the
/// ends. The singularities in log T are about π/log K away from the real axis, 0.3 or more, and the grid's
/// steps are 0.043.
class TemperatureGrid {
 public:
  /// Rising, > 0, at least two.
  explicit TemperatureGrid(std::vector<double> temperatures);
  bool covers(double temperature) const;

  /// Where in the grid a temperature is: one node of weight 1, or the neighbours that it is interpolated
  /// from.
  struct Place {
    static constexpr size_t most = 10;
    size_t first = 0, count = 1;
    std::array<double, most> weight{1};
  };
  /// temperature: covered.
  Place at(double temperature) const;

  /// The minimum of a function that falls and then rises, from its values at the grid's temperatures; as a
  /// fit whose range is the grid's.
  TemperatureFit least(const std::vector<double>& values) const;

  const std::vector<double>& temperatures() const { return temperatures_; }

 private:
  size_t first_of_window(size_t centre_right) const;
  std::vector<double> temperatures_, logs_;
};

}  // namespace smoothlab::eval
