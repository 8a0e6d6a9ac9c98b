#include "models/conv2d.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "reference_values.h"

namespace smoothlab::models {
namespace {

class NoNetwork : public Network {
 public:
  Rows forward(const std::vector<at::Tensor>&, const ForwardContext&) override { return {}; }
  Classifier classifier() const override { return {}; }
  int64_t classes() const override { return 0; }
  int64_t penultimate_size() const override { return 0; }
};

TEST(Conv2d, SeveralSideBySideGiveWhatEachGivesAlone) {
  NoNetwork network;
  ParameterRegistry registry(network, 1, true);
  std::vector<Conv2d> convs;
  for (const int64_t out : {32, 96, 64})
    convs.emplace_back(registry, "conv" + std::to_string(out), Conv2dShape{64, out, 1},
                       Initialiser::constant(0));
  test::fill_hashed(network);
  const at::Tensor values =
      test::hashed_values({2, 64, 5, 6}, 7, 1).contiguous(at::MemoryFormat::ChannelsLast);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor input = values.to(type).clone().requires_grad_(true);
    const at::Tensor exact = values.to(type).to(at::kDouble).requires_grad_(true);
    const std::vector<at::Tensor> together = Conv2d::side_by_side({&convs[0], &convs[1], &convs[2]}, input);
    std::vector<at::Tensor> directions, expected, weights;
    for (size_t i = 0; i < convs.size(); ++i) {
      EXPECT_TRUE(convs[i].pointwise());
      network.parameters()[i].value.mutable_grad() = at::Tensor();
      weights.push_back(network.parameters()[i].value.detach().to(type).to(at::kDouble).requires_grad_(true));
      expected.push_back(at::conv2d(exact, weights[i]));
      directions.push_back(test::hashed_values(expected[i].sizes().vec(), 11 + i, 1).to(type));
    }
    torch::autograd::backward({together.begin(), together.end()}, {directions.begin(), directions.end()});
    for (at::Tensor& direction : directions) direction = direction.to(at::kDouble);
    torch::autograd::backward({expected.begin(), expected.end()}, {directions.begin(), directions.end()});
    const double tolerance = type == at::kFloat ? 1e-6 : 3e-3;
    EXPECT_LT(test::relative_difference(input.grad(), exact.grad()), tolerance);
    for (size_t i = 0; i < convs.size(); ++i) {
      EXPECT_LT(test::relative_difference(together[i], expected[i]), tolerance) << i;
      EXPECT_LT(test::relative_difference(network.parameters()[i].value.grad(), weights[i].grad()), tolerance)
          << i;
    }
  }
}

TEST(Conv2d, OnlyPlainOnesOfOnePixelArePointwise) {
  NoNetwork network;
  ParameterRegistry registry(network, 1, true);
  const Initialiser zero = Initialiser::constant(0);
  EXPECT_FALSE(Conv2d(registry, "a", {32, 32, 3, 1, 1}, zero).pointwise());
  EXPECT_FALSE(Conv2d(registry, "b", {32, 32, 1, 2}, zero).pointwise());
  EXPECT_FALSE(Conv2d(registry, "c", {32, 32, 1, 1, 1}, zero).pointwise());
  EXPECT_FALSE(Conv2d(registry, "d", {32, 32, 1}, zero, 0.5).pointwise());
}

}  // namespace
}  // namespace smoothlab::models
