#include "trainer/weight_average.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "toy_network.h"

namespace smoothlab::trainer {
namespace {

void fill(ToyNetwork& network) {
  network.add("w", models::Role::weight, at::full({20}, 1.0f));
  network.add("b", models::Role::bias, at::full({3}, 2.0f));
  network.buffers().push_back({"norm.mean", at::full({4}, 0.0f)});
}

TEST(WeightAverage, FollowsItsClosedForm) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  WeightAverage average(parameters, 0.9, false);
  parameters.master_view(0).fill_(5);
  network.buffers()[0].value.fill_(1);
  for (int n = 0; n < 7; ++n) average.update();
  // From 1 towards 5: 5 − 4·0.9^7.
  EXPECT_NEAR(average.average()[0].item<double>(), 5 - 4 * std::pow(0.9, 7), 1e-5);
  EXPECT_NEAR(average.average()[parameters.layout().offset(1)].item<double>(), 2, 1e-6);
  EXPECT_EQ(average.buffer_averages()[0].first, "norm.mean");
  EXPECT_NEAR(average.buffer_averages()[0].second[0].item<double>(), 1 - std::pow(0.9, 7), 1e-6);
  EXPECT_EQ(average.updates(), 7);
}

TEST(WeightAverage, WarmupLimitsTheDecay) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  WeightAverage average(parameters, 0.2, true);
  parameters.master_view(0).fill_(0);
  average.update();  // min(0.2, 2/11)
  EXPECT_NEAR(average.average()[0].item<double>(), 2.0 / 11, 1e-6);
  average.update();  // min(0.2, 3/12)
  EXPECT_NEAR(average.average()[0].item<double>(), 2.0 / 11 * 0.2, 1e-6);
}

TEST(WeightAverage, SwapsInAndBackExactly) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    ToyNetwork network;
    fill(network);
    FlatParameters parameters(network, type, at::kCPU);
    WeightAverage average(parameters, 0.3, false);
    parameters.master().copy_(at::sin(at::arange(parameters.master().numel(), at::kFloat)));
    parameters.refresh_working();
    network.buffers()[0].value.fill_(0.7);
    average.update();
    const at::Tensor master = parameters.master().clone(), kept = average.average().clone();
    const at::Tensor leaf = network.parameters()[0].value.clone();
    {
      const AveragedWeights in_use(&average);
      EXPECT_TRUE(at::equal(parameters.master(), kept));
      EXPECT_TRUE(at::equal(network.parameters()[0].value, parameters.master_view(0).to(type)));
      EXPECT_FALSE(at::equal(network.parameters()[0].value, leaf));
      EXPECT_FLOAT_EQ(network.buffers()[0].value[0].item<float>(), 0.49f);
    }
    EXPECT_TRUE(at::equal(parameters.master(), master));
    EXPECT_TRUE(at::equal(average.average(), kept));
    EXPECT_TRUE(at::equal(network.parameters()[0].value, leaf));
    EXPECT_FLOAT_EQ(network.buffers()[0].value[0].item<float>(), 0.7f);
  }
  const AveragedWeights none(nullptr);
}

TEST(WeightAverage, MovesToAnotherLayout) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kFloat, at::kCPU);
  WeightAverage average(parameters, 0.5, false);
  parameters.adopt(cluster::FlatLayout(parameters.leaves(), {1, 0}));
  average.adopt_layout();
  average.update();
  EXPECT_TRUE(at::equal(average.average(), parameters.master()));
  EXPECT_FLOAT_EQ(parameters.layout().view(average.average(), 1)[0].item<float>(), 2);
}

}  // namespace
}  // namespace smoothlab::trainer
