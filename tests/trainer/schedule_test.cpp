#include "trainer/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smoothlab::trainer {
namespace {

ScheduleOptions named(const std::string& name) {
  ScheduleOptions options;
  options.name = name;
  return options;
}

TEST(Schedule, ConstantIsOne) {
  const Schedule schedule(named("constant"), 10);
  for (int64_t s = 0; s < 12; ++s) EXPECT_EQ(schedule.factor(s), 1.0);
}

TEST(Schedule, WarmupRisesFromOneStepsShareToOne) {
  ScheduleOptions options = named("constant");
  options.warmup = 4;
  const Schedule schedule(options, 10);
  const double expected[] = {0.25, 0.5, 0.75, 1, 1, 1};
  for (int64_t s = 0; s < 6; ++s) EXPECT_DOUBLE_EQ(schedule.factor(s), expected[s]);
}

TEST(Schedule, StepDropsAtItsBoundaries) {
  ScheduleOptions options = named("step");
  options.at = {32000, 48000};
  const Schedule schedule(options, 64000);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(31999), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(32000), 0.1);
  EXPECT_DOUBLE_EQ(schedule.factor(47999), 0.1);
  EXPECT_NEAR(schedule.factor(48000), 0.01, 1e-15);
  EXPECT_NEAR(schedule.factor(63999), 0.01, 1e-15);
}

TEST(Schedule, LinearFallsEvenlyToItsEnd) {
  ScheduleOptions options = named("linear");
  const Schedule to_zero(options, 100);
  EXPECT_DOUBLE_EQ(to_zero.factor(0), 1);
  EXPECT_DOUBLE_EQ(to_zero.factor(25), 0.75);
  EXPECT_NEAR(to_zero.factor(99), 0.01, 1e-15);
  EXPECT_DOUBLE_EQ(to_zero.factor(100), 0);
  EXPECT_DOUBLE_EQ(to_zero.factor(1000), 0);
  options.final_factor = 0.2;
  options.warmup = 10;
  const Schedule schedule(options, 110);
  EXPECT_DOUBLE_EQ(schedule.factor(4), 0.5);
  EXPECT_DOUBLE_EQ(schedule.factor(10), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(60), 0.6);
}

TEST(Schedule, CosineHalvesMidway) {
  ScheduleOptions options = named("cosine");
  options.final_factor = 0.1;
  const Schedule schedule(options, 80);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 1);
  EXPECT_NEAR(schedule.factor(40), 0.55, 1e-12);
  EXPECT_NEAR(schedule.factor(20), 0.1 + 0.9 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(schedule.factor(80), 0.1, 1e-12);
}

TEST(Schedule, ExponentialFallsEvenlyOrByStairs) {
  ScheduleOptions options = named("exponential");
  options.factor = 0.94;
  options.every = 8;
  EXPECT_NEAR(Schedule(options, 100).factor(4), std::sqrt(0.94), 1e-12);
  EXPECT_NEAR(Schedule(options, 100).factor(16), 0.94 * 0.94, 1e-12);
  options.staircase = true;
  EXPECT_DOUBLE_EQ(Schedule(options, 100).factor(7), 1);
  EXPECT_NEAR(Schedule(options, 100).factor(15), 0.94, 1e-12);
}

TEST(Schedule, InverseSquareRootIsTheTransformersRate) {
  ScheduleOptions options = named("inverse-square-root");
  options.warmup = 4000;
  const Schedule schedule(options, 300000);
  const double d = 512, lr = 1 / std::sqrt(d * 4000);
  for (const int64_t n : {1, 100, 3999, 4000, 4001, 16000, 300000}) {
    const double step = static_cast<double>(n);
    const double vaswani = std::min(1 / std::sqrt(step), step * std::pow(4000.0, -1.5)) / std::sqrt(d);
    EXPECT_NEAR(lr * schedule.factor(n - 1) / vaswani, 1, 1e-12) << n;
  }
  EXPECT_DOUBLE_EQ(schedule.factor(3999), 1);
  EXPECT_DOUBLE_EQ(Schedule(named("inverse-square-root"), 10).factor(3), 0.5);
}

TEST(Schedule, SaysWhetherItDependsOnTheLength) {
  for (const char* name : {"constant", "step", "linear", "cosine", "exponential", "inverse-square-root"}) {
    ScheduleOptions options;
    options.name = name;
    options.at = {30};
    options.every = 7;
    options.warmup = 5;
    const Schedule shorter(options, 50), longer(options, 60);
    bool differ = false;
    for (int64_t step = 0; step < 50; ++step) differ |= shorter.factor(step) != longer.factor(step);
    EXPECT_EQ(differ, Schedule::depends_on_length(options)) << name;
  }
}

}  // namespace
}  // namespace smoothlab::trainer
