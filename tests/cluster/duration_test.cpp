#include "cluster/duration.h"

#include <gtest/gtest.h>

namespace smoothlab::cluster {
namespace {

TEST(Duration, IsInTheTwoLargestUnitsRoundedUp) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(41.2), "42 s");
  EXPECT_EQ(duration_text(185), "3 min 05 s");
  EXPECT_EQ(duration_text(7620), "2 h 07 min");
  EXPECT_EQ(duration_text(360000), "100 h 00 min");
}

}  // namespace
}  // namespace smoothlab::cluster
