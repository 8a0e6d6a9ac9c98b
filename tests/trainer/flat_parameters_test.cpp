#include "trainer/flat_parameters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "toy_network.h"

namespace smoothlab::trainer {
namespace {

/// A channels-last kernel, a normalisation's scale and a bias.
void fill(ToyNetwork& network) {
  network.add(
      "conv.weight", models::Role::weight,
      at::arange(2 * 3 * 2 * 2, at::kFloat).reshape({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast));
  network.add("norm.scale", models::Role::norm_scale, at::full({5}, 1.001f), true);
  network.add("fc.bias", models::Role::bias, at::full({7}, 0.3f));
}

TEST(FlatParameters, LeavesViewTheMasterAndKeepShapeStridesAndValues) {
  ToyNetwork network, original;
  fill(network);
  fill(original);
  const FlatParameters parameters(network, at::kFloat, at::kCPU);
  EXPECT_FALSE(parameters.working().defined());
  const auto leaves = parameters.leaves();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(leaves[i].is_leaf() && leaves[i].requires_grad());
    EXPECT_TRUE(leaves[i].is_same(network.parameters()[i].value));
    EXPECT_TRUE(at::equal(leaves[i], original.parameters()[i].value));
    EXPECT_EQ(leaves[i].strides(), original.parameters()[i].value.strides());
    EXPECT_TRUE(leaves[i].is_alias_of(parameters.master()));
  }
  parameters.master().fill_(9);
  EXPECT_EQ(leaves[2][0].item<float>(), 9);
}

TEST(FlatParameters, Bf16LeavesViewTheWorkingCopyUnlessKeptInFloat) {
  ToyNetwork network;
  fill(network);
  FlatParameters parameters(network, at::kBFloat16, at::kCPU);
  const auto leaves = parameters.leaves();
  EXPECT_EQ(leaves[0].scalar_type(), at::kBFloat16);
  EXPECT_EQ(leaves[1].scalar_type(), at::kFloat);
  EXPECT_EQ(leaves[2].scalar_type(), at::kBFloat16);
  EXPECT_EQ(leaves[2].strides(), (at::IntArrayRef{1}));
  EXPECT_EQ(leaves[0].strides(), (at::IntArrayRef{12, 1, 6, 3}));
  parameters.master_view(2).fill_(1.2345f);
  EXPECT_NE(leaves[2][0].item<float>(), at::scalar_tensor(1.2345f).to(at::kBFloat16).item<float>());
  parameters.refresh_working();
  EXPECT_EQ(leaves[2][0].item<float>(), at::scalar_tensor(1.2345f).to(at::kBFloat16).item<float>());
}

TEST(FlatParameters, LeavesTakeGradients) {
  ToyNetwork network;
  fill(network);
  const FlatParameters parameters(network, at::kFloat, at::kCPU);
  torch::autograd::backward({(network.parameters()[2].value * 3).sum()}, {});
  EXPECT_TRUE(at::equal(network.parameters()[2].value.grad(), at::full({7}, 3.0f)));
}

TEST(FlatParameters, AnotherLayoutKeepsValues) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    ToyNetwork network, original;
    fill(network);
    fill(original);
    FlatParameters parameters(network, type, at::kCPU);
    const auto before = parameters.leaves();
    parameters.adopt(cluster::FlatLayout(before, {2, 0, 1}));
    EXPECT_EQ(parameters.layout().offset(2), 0);
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(at::equal(parameters.master_view(i), original.parameters()[static_cast<size_t>(i)].value));
      EXPECT_TRUE(at::equal(parameters.leaves()[static_cast<size_t>(i)], before[static_cast<size_t>(i)]));
      EXPECT_EQ(parameters.leaves()[static_cast<size_t>(i)].strides(),
                before[static_cast<size_t>(i)].strides());
    }
    // Gaps are zero: the sum over the buffer is the sum over the tensors.
    EXPECT_FLOAT_EQ(parameters.master().sum().item<float>(), 276 + 5 * 1.001f + 7 * 0.3f);
  }
}

}  // namespace
}  // namespace smoothlab::trainer
