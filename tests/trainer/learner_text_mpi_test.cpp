// Text on several ranks: a step sees the same sentences, drops the same units and weighs tokens alike,
// whichever rank has them.

#include <gtest/gtest.h>

#include "support/ranks.h"
#include "trainer/text_learning.h"

namespace smoothlab::trainer {
namespace {

TEST(LearnerTextMpi, LearnsTheSameOnAnyRanksAndInAnyParts) {
  const auto solo = cluster::make_solo_communicator();
  const test::Learnt alone = test::learn(test::text_recipe(0), *test::some_text(), *solo);
  ASSERT_GT(alone.rows, 100);
  for (const int64_t micro_tokens : {0, 20}) {
    const test::Learnt shared =
        test::learn(test::text_recipe(micro_tokens), *test::some_text(), test::ranks());
    EXPECT_EQ(shared.rows, alone.rows);
    EXPECT_NEAR(shared.loss, alone.loss, 1e-4 * alone.loss);
    EXPECT_TRUE(at::allclose(shared.weights, alone.weights, 1e-4, 1e-5))
        << (shared.weights - alone.weights).abs().max().item<float>();
  }
}

}  // namespace
}  // namespace smoothlab::trainer
