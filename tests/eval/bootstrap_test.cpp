#include "eval/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cluster/addressed_random.h"
#include "eval/calibration.h"

namespace smoothlab::eval {
namespace {

/// Mean, variance and the chance of each value against the binomial distribution's own.
void expect_binomial(int64_t n, double p) {
  constexpr int trials = 20000;
  std::map<int64_t, int> seen;
  double sum = 0, squares = 0;
  for (uint64_t trial = 0; trial < trials; ++trial) {
    uint32_t draw = 0;
    const int64_t k = binomial(n, p, 17, trial, draw);
    ASSERT_GE(k, 0);
    ASSERT_LE(k, n);
    EXPECT_GE(draw, 1U);
    ++seen[k];
    sum += static_cast<double>(k);
    squares += static_cast<double>(k) * static_cast<double>(k);
  }
  const double mean = static_cast<double>(n) * p, variance = mean * (1 - p);
  EXPECT_NEAR(sum / trials, mean, 5 * std::sqrt(variance / trials)) << n << " " << p;
  EXPECT_NEAR((squares / trials - sum / trials * sum / trials) / variance, 1, 0.06) << n << " " << p;
  double chi = 0;
  int cells = 0;
  for (int64_t k = 0; k <= n; ++k) {
    const auto x = static_cast<double>(k), whole = static_cast<double>(n);
    const double expected =
        trials * std::exp(std::lgamma(whole + 1) - std::lgamma(x + 1) - std::lgamma(whole - x + 1) +
                          x * std::log(p) + (whole - x) * std::log1p(-p));
    if (expected < 10) continue;
    const double gap = seen[k] - expected;
    chi += gap * gap / expected;
    ++cells;
  }
  EXPECT_LT(chi, cells + 5 * std::sqrt(2.0 * cells)) << n << " " << p;
}

TEST(Bootstrap, BinomialDrawsFollowTheirDistribution) {
  expect_binomial(1, 0.3);
  expect_binomial(12, 0.5);
  expect_binomial(40, 0.9);
  expect_binomial(1000, 0.004);
  expect_binomial(200, 0.25);
  expect_binomial(3000, 0.6);
}

TEST(Bootstrap, BinomialCornersAreExact) {
  uint32_t draw = 0;
  EXPECT_EQ(binomial(5, 0, 1, 1, draw), 0);
  EXPECT_EQ(binomial(5, 1, 1, 1, draw), 5);
  EXPECT_EQ(binomial(0, 0.5, 1, 1, draw), 0);
  EXPECT_EQ(draw, 0U) << "no number is used where none is needed";
}

/// Rows whose accuracy is confidence − offset.
BootstrapCells simulated(int rows, double offset, uint64_t seed, ReliabilityBins* bins = nullptr) {
  BootstrapCells cells(15);
  for (int i = 0; i < rows; ++i) {
    const AddressedRandom random(seed, Purpose::generated_data, 0, static_cast<uint64_t>(i));
    const double confidence = 0.3 + 0.7 * random.uniform(0);
    const bool correct = random.uniform(1) < confidence - offset;
    const int bin = confidence_bin(confidence, 15, BinEdges::standard);
    cells.add(bin, confidence, correct);
    if (bins) bins->add(bin, confidence, correct);
  }
  return cells;
}

TEST(Bootstrap, CoversTheTrueErrorAboutAsOftenAsItSays) {
  // With 2,000 rows and an error of 0.15 in every bin, the bias of ECE is small against its spread.
  int covered = 0;
  double width = 0;
  constexpr int trials = 120;
  for (uint64_t trial = 0; trial < trials; ++trial) {
    const Interval interval = simulated(2000, 0.15, trial + 1).ece(120, trial);
    covered += interval.low <= 0.15 && 0.15 <= interval.high ? 1 : 0;
    width += (interval.high - interval.low) / trials;
  }
  // 95 % of 120 within three standard deviations.
  EXPECT_GE(covered, 107);
  EXPECT_LE(covered, 119);
  // Spread of the mean of (confidence − correct): √(E[q(1−q)] / N), q uniform on (0.15, 0.85).
  const double deviation = std::sqrt((0.25 - 0.49 / 12) / 2000);
  EXPECT_NEAR(width, 2 * 1.96 * deviation, 0.15 * width);
}

TEST(Bootstrap, EqualsDrawingRowsOneByOne) {
  ReliabilityBins bins;
  const BootstrapCells cells = simulated(400, 0.2, 3, &bins);
  std::vector<double> errors;
  for (uint64_t replicate = 0; replicate < 2000; ++replicate) {
    ReliabilityBins drawn;
    for (uint32_t i = 0; i < 400; ++i) {
      const auto row = AddressedRandom(9, Purpose::bootstrap, 1, replicate).below(400, i);
      const AddressedRandom random(3, Purpose::generated_data, 0, row);
      const double confidence = 0.3 + 0.7 * random.uniform(0);
      drawn.add(confidence_bin(confidence, 15, BinEdges::standard), confidence,
                random.uniform(1) < confidence - 0.2);
    }
    errors.push_back(drawn.expected_error(400));
  }
  std::sort(errors.begin(), errors.end());
  const Interval interval = cells.ece(2000, 5);
  EXPECT_NEAR(interval.low, errors[50], 0.004);
  EXPECT_NEAR(interval.high, errors[1949], 0.004);
}

TEST(Bootstrap, IsAFunctionOfSeedAloneWhateverTheThreads) {
  const BootstrapCells cells = simulated(500, 0.1, 1);
  const Interval one = cells.ece(300, 7, 0.95, 1), three = cells.ece(300, 7, 0.95, 3);
  EXPECT_EQ(one.low, three.low);
  EXPECT_EQ(one.high, three.high);
  EXPECT_NE(one.low, cells.ece(300, 8).low);
}

TEST(Bootstrap, RowsThatAreAllAlikeHaveNoSpread) {
  BootstrapCells cells(15);
  for (int i = 0; i < 10; ++i) cells.add(14, 1, true);
  EXPECT_EQ(cells.ece(100, 1).high, 0);
  BootstrapCells one(15);
  one.add(11, 0.75, false);
  EXPECT_DOUBLE_EQ(one.ece(100, 1).low, 0.75);
  EXPECT_DOUBLE_EQ(one.ece(1, 1).high, 0.75);
}

}  // namespace
}  // namespace smoothlab::eval
