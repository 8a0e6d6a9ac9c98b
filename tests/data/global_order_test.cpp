#include "data/global_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

TEST(GlobalOrder, EpochIsAPermutationAtEverySize) {
  for (int64_t n = 1; n <= 300; ++n) {
    auto order = epoch_permutation(7, n % 5, n);
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(order[i], i) << n;
  }
}

TEST(GlobalOrder, AllOrdersAreEquallyLikely) {
  // 4! = 24 orders over 24,000 epochs; chi-square with 23 degrees of freedom is below 49.7 in 99.9 % of
  // cases.
  std::map<std::vector<uint32_t>, int> counts;
  for (int64_t epoch = 0; epoch < 24000; ++epoch) ++counts[epoch_permutation(3, epoch, 4)];
  ASSERT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [order, count] : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 49.7);
  EXPECT_GT(chi_square, 7.5);  // below that in 0.1 % of cases: too even to be random
}

TEST(GlobalOrder, EverySampleIsEquallyLikelyAtEveryPlace) {
  constexpr int n = 20, epochs = 20000;
  std::vector<int> counts(n * n);
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    const auto order = epoch_permutation(11, epoch, n);
    for (int i = 0; i < n; ++i) ++counts[i * n + order[i]];
  }
  double chi_square = 0;
  const double expected = static_cast<double>(epochs) / n;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  // 19² = 361 degrees of freedom: 99.9 % quantile 447.
  EXPECT_LT(chi_square, 447);
}

TEST(GlobalOrder, DependsOnSeedAndEpoch) {
  EXPECT_NE(epoch_permutation(1, 0, 100), epoch_permutation(2, 0, 100));
  EXPECT_NE(epoch_permutation(1, 0, 100), epoch_permutation(1, 1, 100));
  EXPECT_EQ(epoch_permutation(1, 1, 100), epoch_permutation(1, 1, 100));
}

TEST(GlobalOrder, IsTheConcatenationOfTheEpochs) {
  const GlobalOrder order(5, 7);
  const auto all = order.at(0, 40);
  for (int64_t p = 0; p < 40; ++p) {
    EXPECT_EQ(all[p].epoch, p / 7);
    EXPECT_EQ(all[p].sample, epoch_permutation(5, p / 7, 7)[p % 7]);
  }
  for (const int64_t first : {0, 3, 6, 7, 13, 30}) {
    const auto part = order.at(first, 10);
    for (int64_t i = 0; i < 10; ++i) {
      EXPECT_EQ(part[i].sample, all[first + i].sample);
      EXPECT_EQ(part[i].epoch, all[first + i].epoch);
    }
  }
  EXPECT_TRUE(order.at(12, 0).empty());
}

TEST(GlobalOrder, RefusesAnEmptySplit) {
  EXPECT_THROW(GlobalOrder(1, 0), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
