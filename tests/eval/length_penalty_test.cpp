#include "eval/length_penalty.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

TEST(LengthPenalty, HasItsClosedForms) {
  const LengthPenalty none(0, 100), usual(0.6, 100), whole(1, 100);
  for (int64_t length = 1; length <= 100; ++length) {
    const auto n = static_cast<double>(length);
    EXPECT_EQ(none.at(length), 1);
    EXPECT_DOUBLE_EQ(whole.at(length), (5 + n) / 6);
    EXPECT_DOUBLE_EQ(usual.at(length), std::pow((5 + n) / 6, 0.6));
  }
  EXPECT_EQ(usual.at(1), 1) << "an empty translation: the end token alone";
  EXPECT_DOUBLE_EQ(usual.at(7), std::pow(2, 0.6));
}

TEST(LengthPenalty, NeverFallsHoweverSmallItsPower) {
  for (const double alpha : {1e-17, 1e-15, 1e-12, 0.6}) {
    const LengthPenalty penalty(alpha, 10000);
    for (int64_t length = 2; length <= 10000; ++length)
      ASSERT_GE(penalty.at(length), penalty.at(length - 1)) << alpha << ' ' << length;
  }
}

TEST(LengthPenalty, RefusesOthers) {
  for (const double bad : {-0.1, 10.5, std::nan("")}) EXPECT_THROW(LengthPenalty(bad, 10), UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
