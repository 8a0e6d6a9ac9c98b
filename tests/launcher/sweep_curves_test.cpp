#include "launcher/sweep_curves.h"

#include <gtest/gtest.h>

namespace smoothlab::launcher {
namespace {

trainer::Recipe recipe(double alpha, uint64_t seed) {
  trainer::Recipe made;
  made.task.data = "text";
  made.model.name = "transformer_base";
  made.targets.alpha = alpha;
  made.train.seed = seed;
  return made;
}

TEST(SweepCurves, RunsThatDifferInTheirSeedAreOne) {
  const std::vector<trainer::Recipe> recipes = {recipe(0, 1), recipe(0.1, 1), recipe(0, 2)};
  const std::vector<eval::TemperatureSweep> sweeps(3);
  const auto curves = sweep_curves({"a", "b", "c"}, recipes, sweeps);
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[0].name, "α = 0");
  EXPECT_EQ(curves[0].sweeps, (std::vector<const eval::TemperatureSweep*>{&sweeps[0], &sweeps[2]}));
  EXPECT_EQ(curves[1].sweeps, (std::vector<const eval::TemperatureSweep*>{&sweeps[1]}));
}

// Only the first run of a curve was looked at: of the seeds 1, 2, 2 the last counted twice.
TEST(SweepCurves, ASeedIsInACurveOnce) {
  const std::vector<trainer::Recipe> recipes = {recipe(0, 1), recipe(0, 2), recipe(0, 2)};
  const std::vector<eval::TemperatureSweep> sweeps(3);
  const auto curves = sweep_curves({"a", "b", "c"}, recipes, sweeps);
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[0].sweeps.size(), 2U);
  EXPECT_EQ(curves[0].name, "α = 0, a");
  EXPECT_EQ(curves[1].name, "α = 0, c");
}

}  // namespace
}  // namespace smoothlab::launcher
