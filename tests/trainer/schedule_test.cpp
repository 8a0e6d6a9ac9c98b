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

/// Batches of so many of 75 samples.
class Batches : public data::BatchOrder {
 public:
  explicit Batches(int64_t samples) : samples_(samples) {}
  int64_t size(int64_t) const override { return samples_; }
  int64_t largest() const override { return samples_; }
  std::vector<data::SampleAddress> at(int64_t, int64_t, int64_t) const override { return {}; }
  double epochs(int64_t steps) const override { return static_cast<double>(steps * samples_) / 75; }
  int64_t steps(int64_t) const override { return 0; }

 private:
  int64_t samples_;
};

/// By samples that were seen before the step, in units of 25.
std::vector<double> by_samples(ScheduleOptions options, int64_t batch, int64_t samples) {
  options.unit = "epochs";
  const Schedule schedule(options, samples / batch, std::make_shared<Batches>(batch));
  std::vector<double> factors;
  for (int64_t seen = 0; seen < samples; seen += 25)
    factors.push_back(seen % batch == 0 ? schedule.factor(seen / batch) : -1);
  return factors;
}

TEST(Schedule, CountsEpochsWhateverTheBatch) {
  ScheduleOptions stairs = named("exponential");
  stairs.factor = 0.94;
  stairs.every = 2;  // 150 samples: 6 steps of 25, 3 of 50, one and a half of 100
  stairs.staircase = true;
  ScheduleOptions drops = named("step");
  drops.at = {2, 3};
  for (const ScheduleOptions& options : {stairs, drops, named("cosine"), named("linear")}) {
    const auto reference = by_samples(options, 25, 600);
    for (const int64_t batch : {50, 100}) {
      const auto factors = by_samples(options, batch, 600);
      for (size_t i = 0; i < factors.size(); ++i) {
        if (factors[i] < 0) continue;  // within a step
        EXPECT_NEAR(factors[i], reference[i], 1e-12) << options.name << " " << batch << " " << i;
      }
    }
  }
  const auto of_50 = by_samples(stairs, 50, 400);
  EXPECT_EQ(of_50[4], 1);  // the third step, after 1 1/3 epochs
  EXPECT_NEAR(of_50[6], 0.94, 1e-15);
  EXPECT_NEAR(of_50[10], 0.94, 1e-15);
  EXPECT_NEAR(of_50[12], 0.94 * 0.94, 1e-15);
  EXPECT_NEAR(by_samples(drops, 75, 400)[6], 0.1, 1e-15);
  EXPECT_NEAR(by_samples(drops, 75, 400)[9], 0.01, 1e-15);
  ScheduleOptions warm = named("constant");
  warm.warmup = 2;
  const auto ramp = by_samples(warm, 50, 400);
  EXPECT_NEAR(ramp[0], 1.0 / 3, 1e-15);
  EXPECT_NEAR(ramp[2], 2.0 / 3, 1e-15);
  EXPECT_EQ(ramp[4], 1);
  EXPECT_EQ(by_samples(warm, 100, 400)[4], 1) << "the ramp ends within this step";
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
