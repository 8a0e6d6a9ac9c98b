#include "eval/seed_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smoothlab::eval {
namespace {

TEST(SeedStatistics, HasTheSamplesDeviation) {
  const SeedStatistics s = over_seeds({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(s.count, 8);
  EXPECT_DOUBLE_EQ(s.mean, 5);
  EXPECT_NEAR(s.deviation, std::sqrt(32.0 / 7), 1e-12);
  EXPECT_EQ(s.low, 2);
  EXPECT_EQ(s.high, 9);
  EXPECT_EQ(to_text(s, 1), "5.0 ± 2.1 (8 runs)");
}

TEST(SeedStatistics, LeavesOutWhatIsNoNumber) {
  const SeedStatistics one = over_seeds({std::nan(""), 3, INFINITY});
  EXPECT_EQ(one.count, 1);
  EXPECT_EQ(one.mean, 3);
  EXPECT_EQ(one.deviation, 0);
  EXPECT_EQ(to_text(one, 2), "3.00 (1 run)");
  EXPECT_EQ(over_seeds({}).count, 0);
  EXPECT_EQ(to_text(over_seeds({}), 2), "–");
}

}  // namespace
}  // namespace smoothlab::eval
