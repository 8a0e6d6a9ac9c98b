#include "eval/temperature_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eval/logit_summary.h"

namespace smoothlab::eval {
namespace {

double interpolated(const TemperatureGrid& grid, const std::vector<double>& values, double temperature) {
  const auto place = grid.at(temperature);
  double sum = 0;
  for (size_t i = 0; i < place.count; ++i) sum += place.weight[i] * values[place.first + i];
  return sum;
}

template <typename Function>
std::vector<double> on(const TemperatureGrid& grid, const Function& f) {
  std::vector<double> values;
  for (const double t : grid.temperatures()) values.push_back(f(t));
  return values;
}

TEST(TemperatureGrid, GivesItsOwnValuesBackBitForBit) {
  const TemperatureGrid grid(summary_temperatures());
  const auto values = on(grid, [](double t) { return std::sin(t) / 3; });
  ASSERT_EQ(values.size(), 65U);
  for (size_t j = 0; j < values.size(); ++j)
    EXPECT_EQ(interpolated(grid, values, grid.temperatures()[j]), values[j]);
  EXPECT_EQ(grid.temperatures()[32], 1);
  for (size_t j = 16; j < 65; ++j) EXPECT_EQ(grid.temperatures()[j] / 2, grid.temperatures()[j - 16]);
  EXPECT_TRUE(grid.covers(0.25) && grid.covers(4) && grid.covers(1.234));
  EXPECT_FALSE(grid.covers(0.2499) || grid.covers(4.001));
}

// The worst rows: one class, and m others that are all `gap` below it. log(1 + m exp(−gap/T)) turns from 0 to
// log m within ΔT/T ≈ 1/log m, the more sharply the more classes.
TEST(TemperatureGrid, InterpolatesAnyRowToOneInAMillion) {
  const TemperatureGrid grid(summary_temperatures());
  double inside = 0, near_ends = 0;
  for (const double others : {1.0, 9.0, 999.0, 7999.0, 36999.0})
    for (double gap = 0.01; gap < 400; gap *= 1.1) {
      const auto row = [&](double t) { return std::log1p(others * std::exp(-gap / t)); };
      const auto values = on(grid, row);
      for (double t = 0.25; t < 4; t *= 1.0083) {
        double& worst = t > 0.3 && t < 3.3 ? inside : near_ends;
        worst = std::max(worst, std::abs(interpolated(grid, values, t) - row(t)));
      }
    }
  EXPECT_LT(inside, 1e-6);
  EXPECT_LT(near_ends, 2e-5) << "neighbours on one side only";
}

TEST(TemperatureGrid, FindsAMinimumBetweenItsTemperatures) {
  const TemperatureGrid grid(summary_temperatures());
  for (const double t : {0.2501, 0.26, 0.5, 0.777, 1.0, 1.3, 2.9, 3.95}) {
    // The NLL of two classes, the label's one ahead by 1 in a part p of the rows, and behind in the others:
    // least where p is the logistic function of 1/T.
    const double p = 1 / (1 + std::exp(-1 / t));
    const auto fit = grid.least(on(grid, [&](double at) {
      return p * std::log1p(std::exp(-1 / at)) + (1 - p) * std::log1p(std::exp(1 / at));
    }));
    EXPECT_EQ(fit.end, FitEnd::interior);
    EXPECT_NEAR(fit.temperature / t, 1, 1e-7);
  }
}

TEST(TemperatureGrid, SaysWhereAMinimumIsOutside) {
  const TemperatureGrid grid(summary_temperatures());
  const auto rising = grid.least(on(grid, [](double t) { return t; }));
  EXPECT_EQ(rising.end, FitEnd::lower_bound);
  EXPECT_EQ(rising.temperature, 0.25);
  const auto falling = grid.least(on(grid, [](double t) { return 1 / t; }));
  EXPECT_EQ(falling.end, FitEnd::upper_bound);
  EXPECT_EQ(falling.temperature, 4);
  const auto flat = grid.least(on(grid, [](double) { return 2.5; }));
  EXPECT_EQ(flat.end, FitEnd::flat);
  EXPECT_EQ(flat.temperature, 1);
}

TEST(TemperatureGrid, MayBeOfFewTemperatures) {
  const TemperatureGrid grid({0.5, 1, 2});
  const auto values = on(grid, [](double t) { return 1 + 2 * std::log(t) + std::log(t) * std::log(t); });
  EXPECT_NEAR(interpolated(grid, values, 0.7), 1 + 2 * std::log(0.7) + std::log(0.7) * std::log(0.7), 1e-14);
}

}  // namespace
}  // namespace smoothlab::eval
