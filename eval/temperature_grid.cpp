#include "eval/temperature_grid.h"

#include <algorithm>
#include <cmath>

namespace smoothlab::eval {
namespace {

constexpr double same = 1e-12;  // relative: a grid's own temperature, as it is written

/// Slope at x of the polynomial through (x_i, y_i): divided differences, and Horner's rule with derivative.
double slope(const std::vector<double>& x, std::vector<double> y, double at) {
  for (size_t order = 1; order < x.size(); ++order)
    for (size_t i = x.size() - 1; i >= order; --i) y[i] = (y[i] - y[i - 1]) / (x[i] - x[i - order]);
  double value = y.back(), derivative = 0;
  for (size_t i = x.size() - 1; i-- > 0;) {
    derivative = derivative * (at - x[i]) + value;
    value = value * (at - x[i]) + y[i];
  }
  return derivative;
}

}  // namespace

TemperatureGrid::TemperatureGrid(std::vector<double> temperatures) : temperatures_(std::move(temperatures)) {
  for (const double t : temperatures_) logs_.push_back(std::log(t));
}

bool TemperatureGrid::covers(double temperature) const {
  return temperature >= temperatures_.front() * (1 - same) &&
         temperature <= temperatures_.back() * (1 + same);
}

/// `centre_right`: the first node to the right of the middle.
size_t TemperatureGrid::first_of_window(size_t centre_right) const {
  const size_t count = std::min(Place::most, temperatures_.size()), half = count / 2;
  return std::min(centre_right > half ? centre_right - half : 0, temperatures_.size() - count);
}

TemperatureGrid::Place TemperatureGrid::at(double temperature) const {
  const auto right = static_cast<size_t>(
      std::lower_bound(temperatures_.begin(), temperatures_.end(), temperature) - temperatures_.begin());
  Place place;
  for (const size_t j : {right > 0 ? right - 1 : 0, std::min(right, temperatures_.size() - 1)})
    if (std::abs(temperature - temperatures_[j]) <= same * temperatures_[j]) {
      place.first = j;
      return place;
    }
  const double x = std::log(temperature);
  place.first = first_of_window(right);
  place.count = std::min(Place::most, temperatures_.size());
  for (size_t i = 0; i < place.count; ++i) {
    place.weight[i] = 1;
    for (size_t j = 0; j < place.count; ++j)
      if (j != i)
        place.weight[i] *= (x - logs_[place.first + j]) / (logs_[place.first + i] - logs_[place.first + j]);
  }
  return place;
}

TemperatureFit TemperatureGrid::least(const std::vector<double>& values) const {
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  if (*highest - *lowest <= 1e-12 * std::abs(*highest)) return {1, FitEnd::flat};
  const auto at = static_cast<size_t>(lowest - values.begin());
  const size_t first = first_of_window(at), count = std::min(Place::most, values.size());
  const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(first + count);
  const std::vector<double> x(logs_.begin() + from, logs_.begin() + to);
  const std::vector<double> y(values.begin() + from, values.begin() + to);
  double low = logs_[at > 0 ? at - 1 : 0], high = logs_[std::min(at + 1, values.size() - 1)];
  if (at == 0 && slope(x, y, low) >= 0) return {temperatures_.front(), FitEnd::lower_bound};
  if (at + 1 == values.size() && slope(x, y, high) <= 0) return {temperatures_.back(), FitEnd::upper_bound};
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (slope(x, y, middle) <= 0 ? low : high) = middle;
  }
  return {std::exp(0.5 * (low + high)), FitEnd::interior};
}

}  // namespace smoothlab::eval
