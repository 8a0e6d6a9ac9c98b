#include "models/dropout.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace smoothlab::models {
namespace {

ForwardContext context(int64_t samples) {
  ForwardContext result;
  result.training = true;
  result.seed = 5;
  result.sample_ids = at::arange(samples, at::kLong);
  return result;
}

// 400,000 units: the share's standard error is 0.08 %.
TEST(Dropout, DropsTheShareAndKeepsTheMean) {
  const at::Tensor ones = at::ones({400, 1000});
  const at::Tensor kept = Dropout(0.3, 0)(ones, context(400));
  EXPECT_NEAR(kept.eq(0).to(at::kDouble).mean().item<double>(), 0.3, 0.003);
  EXPECT_TRUE((kept.eq(0) | (kept - 1 / 0.7).abs().lt(1e-6)).all().item<bool>());
  // No unit and no sample stands out: five standard errors.
  EXPECT_LT((kept.eq(0).to(at::kDouble).mean(0) - 0.3).abs().max().item<double>(), 5 * 0.0229);
  EXPECT_LT((kept.eq(0).to(at::kDouble).mean(1) - 0.3).abs().max().item<double>(), 5 * 0.0145);
}

TEST(Dropout, DiffersBetweenPlacesStepsSeeds) {
  const at::Tensor ones = at::ones({4, 101});
  const at::Tensor base = Dropout(0.5, 0)(ones, context(4));
  EXPECT_TRUE(at::equal(base, Dropout(0.5, 0)(ones, context(4))));
  EXPECT_FALSE(at::equal(base, Dropout(0.5, Dropout::blocks(101))(ones, context(4))));
  ForwardContext later = context(4);
  later.step = 1;
  EXPECT_FALSE(at::equal(base, Dropout(0.5, 0)(ones, later)));
  ForwardContext other = context(4);
  other.seed = 6;
  EXPECT_FALSE(at::equal(base, Dropout(0.5, 0)(ones, other)));
}

TEST(Dropout, LeavesEvaluationAlone) {
  const at::Tensor input = at::rand({3, 7});
  EXPECT_TRUE(Dropout(0.5, 0)(input, {}).is_same(input));
}

}  // namespace
}  // namespace smoothlab::models
