#include "trainer/loss_meter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

at::Tensor labels_of(std::vector<int64_t> values) {
  return at::tensor(values, at::kLong);
}

TEST(LossMeter, SumsLossAndHits) {
  LossMeter meter;
  const at::Tensor logits = at::tensor({1.F, 0.F, 0.F, 1.F, 2.F, 1.F}).view({3, 2});
  meter.add(at::tensor(1.5F), logits, labels_of({0, 1, 1}), labels_of({5, 6, 7}), 0);
  meter.add(at::tensor(0.25F), logits.narrow(0, 0, 1), labels_of({0}), labels_of({8}), 1);
  EXPECT_EQ(meter.window().loss, 1.75);
  EXPECT_EQ(meter.window().correct, 3);
  EXPECT_EQ(meter.window().rows, 4);
}

TEST(LossMeter, NamesStepAndSampleOfALossThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    LossMeter meter;
    meter.add(at::tensor(bad), at::zeros({2, 2}), labels_of({0, 1}), labels_of({41, 42}), 9);
    try {
      meter.settle();
      FAIL() << bad << " was taken";
    } catch (const RunError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("step 10"), std::string::npos) << text;
      EXPECT_NE(text.find("sample 41"), std::string::npos) << text;
      EXPECT_FALSE(error.remedy().empty());
    }
  }
}

TEST(LossMeter, SumsInTheOrderOfRanks) {
  const MetricWindow sum = sum_of({{1e16, 1, 2}, {1.0, 2, 3}, {-1e16, 3, 4}});
  EXPECT_EQ(sum.loss, (1e16 + 1.0) - 1e16);
  EXPECT_EQ(sum.correct, 6);
  EXPECT_EQ(sum.rows, 9);
}

}  // namespace
}  // namespace smoothlab::trainer
