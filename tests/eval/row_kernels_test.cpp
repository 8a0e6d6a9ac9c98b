#include "eval/row_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

std::vector<float> random_row(int64_t n, double spread, uint64_t sample) {
  const AddressedRandom random(1, Purpose::generated_data, 0, sample);
  std::vector<float> z(static_cast<size_t>(n));
  for (size_t k = 0; k < z.size(); ++k)
    z[k] = static_cast<float>(spread * random.normal(static_cast<uint32_t>(k)));
  return z;
}

class RowKernelsOf : public testing::TestWithParam<int> {
 protected:
  const RowKernels& kernels() const { return *all_row_kernels().kernels[static_cast<size_t>(GetParam())]; }
};

TEST_P(RowKernelsOf, ExponentialIsRightToSinglePrecisionOfItsArgument) {
  const int64_t n = 1 << 16;
  std::vector<float> z(n), e(n);
  for (int64_t i = 0; i < n; ++i) z[static_cast<size_t>(i)] = -86.0F * static_cast<float>(i) / n;
  kernels().exponentials(z.data(), n, 0, 1, e.data());
  double worst = 0, worst_of_sum = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    const double x = static_cast<double>(z[i]), truth = std::exp(x);
    const double error = std::abs(static_cast<double>(e[i]) - truth);
    worst = std::max(worst, error / truth / (3 - x));
    worst_of_sum = std::max(worst_of_sum, error);
  }
  EXPECT_LT(worst, 0x1p-23) << "relative, per unit of the argument and 3";
  EXPECT_LT(worst_of_sum, 2e-7) << "of a sum that is 1 at least";
  EXPECT_EQ(e[0], 1) << "exp(0) must be exact: ties at the maximum are equal probabilities";
}

TEST_P(RowKernelsOf, AgreeWithDoubleAtEveryLength) {
  for (int64_t n : {1, 2, 3, 7, 15, 16, 17, 31, 63, 65, 100, 1000, 1023, 1024, 1025, 5000}) {
    const auto z = random_row(n, 4, static_cast<uint64_t>(n));
    const float maximum = *std::max_element(z.begin(), z.end());
    for (int64_t label : {int64_t{0}, n / 2, n - 1}) {
      auto tied = z;  // one equal before the label and one after it
      tied.front() = tied.back() = tied[static_cast<size_t>(label)];
      for (const auto& row : {z, tied}) {
        const RowRank rank = kernels().rank(row.data(), n, label);
        const float value = row[static_cast<size_t>(label)];
        int64_t before = 0;
        for (int64_t k = 0; k < n; ++k) {
          const float other = row[static_cast<size_t>(k)];
          before += other > value || (other == value && k < label) ? 1 : 0;
        }
        EXPECT_EQ(rank.maximum, *std::max_element(row.begin(), row.end()));
        EXPECT_EQ(rank.before, before);
        EXPECT_TRUE(rank.finite);
      }
    }

    const float beta = 0.75F;
    std::vector<float> e(static_cast<size_t>(RowKernels::padded(n)), -1.0F);
    const RowSums sums = kernels().exponentials(z.data(), n, maximum, beta, e.data());
    double rest = 0, squares = 0;
    for (float v : z) {
      const double power = std::exp(beta * (static_cast<double>(v) - maximum));
      if (v < maximum) rest += power, squares += power * power;
    }
    EXPECT_EQ(sums.ties, std::count(z.begin(), z.end(), maximum));
    EXPECT_NEAR(sums.rest, rest, 1e-6 * rest);
    EXPECT_NEAR(sums.squares, squares, 1e-6 * squares);
    for (size_t k = static_cast<size_t>(n); k < e.size(); ++k) EXPECT_EQ(e[k], 0);

    for (float other : {0.765F, 0.735F, 0.75F}) {
      std::vector<float> first(e.size(), -1.0F), second(e.size(), -1.0F);
      const RowSumsOfTwo two =
          kernels().exponentials_of_two(z.data(), n, maximum, beta, other, first.data(), second.data());
      std::vector<float> alone(e.size());
      const RowSums truth = kernels().exponentials(z.data(), n, maximum, other, alone.data());
      EXPECT_EQ(two.first.ties, sums.ties);
      EXPECT_NEAR(two.first.rest, sums.rest, 1e-6 * sums.rest);
      EXPECT_EQ(two.second.ties, truth.ties);
      EXPECT_NEAR(two.second.rest, truth.rest, 1e-6 * truth.rest);
      EXPECT_NEAR(two.second.squares, truth.squares, 1e-6 * truth.squares);
      for (size_t k = 0; k < e.size(); ++k) {
        EXPECT_NEAR(first[k], e[k], 2e-7 * e[k]);
        EXPECT_NEAR(second[k], alone[k], 1e-8 + 1e-6 * alone[k]);
      }
    }

    for (const SlopeNodes nodes : {SlopeNodes{0.7F, 0.05F}, SlopeNodes{0.625F, 0.078125F}}) {
      const RowMoments moments = kernels().moments(z.data(), n, maximum, nodes);
      for (int node = 0; node < SlopeNodes::count; ++node) {
        double truth[3] = {};
        for (float v : z) {
          const double d = static_cast<double>(v) - maximum, power = std::exp(nodes.at(node) * d);
          truth[0] += power;
          truth[1] += power * d;
          truth[2] += power * d * d;
        }
        const auto i = static_cast<size_t>(node);
        EXPECT_NEAR(moments.zeroth[i], truth[0], 1e-6 * truth[0]);
        EXPECT_NEAR(moments.first[i], truth[1], -2e-6 * truth[1]);
        EXPECT_NEAR(moments.second[i], truth[2], 2e-6 * truth[2]);
      }
    }

    std::vector<float> column(e.size(), 0.5F);
    std::vector<int32_t> above(static_cast<size_t>(n));
    const int64_t found = kernels().add_scaled(e.data(), n, 0.5F, 0.1F, column.data(), above.data());
    std::vector<int32_t> expected;
    for (int64_t k = 0; k < n; ++k) {
      EXPECT_FLOAT_EQ(column[static_cast<size_t>(k)], 0.5F + 0.5F * e[static_cast<size_t>(k)]);
      if (e[static_cast<size_t>(k)] > 0.1F) expected.push_back(static_cast<int32_t>(k));
    }
    above.resize(static_cast<size_t>(found));
    EXPECT_EQ(above, expected);
  }
}

TEST_P(RowKernelsOf, LargestDifferencesGiveNoNaN) {
  const float most = std::numeric_limits<float>::max();
  const std::vector<float> z{-most, most, 0, 1e20F, -1e20F};
  std::vector<float> e(16);
  const RowSums sums = kernels().exponentials(z.data(), 5, most, 20, e.data());
  EXPECT_EQ(sums.ties, 1);
  EXPECT_EQ(sums.rest, 0);
  const RowSumsOfTwo two = kernels().exponentials_of_two(z.data(), 5, most, 20, 20.25F, e.data(), e.data());
  EXPECT_EQ(two.second.rest, 0);
  EXPECT_EQ(two.second.squares, 0);
  const RowMoments moments = kernels().moments(z.data(), 5, most, {0.05F, 0.01F});
  for (size_t node = 0; node < SlopeNodes::count; ++node) {
    EXPECT_EQ(moments.zeroth[node], 1);
    EXPECT_EQ(moments.first[node], 0);
    EXPECT_EQ(moments.second[node], 0);
  }
}

TEST_P(RowKernelsOf, FiniteSeesEveryPosition) {
  for (int64_t n : {1, 5, 16, 33, 100}) {
    std::vector<float> values(static_cast<size_t>(n), std::numeric_limits<float>::max());
    EXPECT_TRUE(kernels().finite(values.data(), n));
    EXPECT_TRUE(kernels().rank(values.data(), n, 0).finite);
    for (float& value : values)
      for (float bad :
           {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        const float good = value;
        value = bad;
        EXPECT_FALSE(kernels().finite(values.data(), n));
        EXPECT_FALSE(kernels().rank(values.data(), n, 0).finite);
        value = good;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(RowKernels, RowKernelsOf, testing::Range(0, all_row_kernels().count),
                         [](const auto& which) {
                           return std::string(
                               all_row_kernels().kernels[static_cast<size_t>(which.param)]->name);
                         });

}  // namespace
}  // namespace smoothlab::eval
