#include "models/row_dropout.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/initialisation.h"

namespace smoothlab::models {
namespace {

std::shared_ptr<const RowAddresses> rows_of(const std::vector<std::pair<int64_t, int32_t>>& all) {
  auto rows = std::make_shared<RowAddresses>();
  for (const auto& [sample, position] : all) {
    rows->samples.push_back(sample);
    rows->positions.push_back(position);
  }
  return rows;
}

ForwardContext training(uint64_t seed, int64_t step) {
  ForwardContext context;
  context.training = true;
  context.seed = seed;
  context.step = step;
  return context;
}

TEST(RowDropout, DropsWithItsProbabilityAndKeepsTheMean) {
  std::vector<std::pair<int64_t, int32_t>> all;
  for (int32_t i = 0; i < 400; ++i) all.emplace_back(i / 7, i % 7);
  const at::Tensor mask = RowDropout(0.3, 1, training(1, 1), rows_of(all)).mask(400, 1000);
  EXPECT_NEAR(mask.eq(0).to(at::kDouble).mean().item<double>(), 0.3, 0.003);
  EXPECT_NEAR(mask.mean().item<double>(), 1, 0.005);
  // Neighbours are independent.
  const at::Tensor dropped = mask.eq(0).to(at::kDouble) - 0.3;
  for (const int64_t lag : {1, 16, 32, 128})
    EXPECT_NEAR((dropped.narrow(1, 0, 1000 - lag) * dropped.narrow(1, lag, 1000 - lag)).mean().item<double>(),
                0, 0.003)
        << lag;
}

TEST(RowDropout, IsAddressedBySampleAndPositionNotByRow) {
  const RowDropout one(0.5, 2, training(3, 8), rows_of({{4, 0}, {4, 1}, {9, 0}})),
      other(0.5, 2, training(3, 8), rows_of({{9, 0}, {4, 1}}));
  const at::Tensor a = one.mask(3, 70), b = other.mask(2, 70);
  EXPECT_TRUE(a[2].equal(b[0]));
  EXPECT_TRUE(a[1].equal(b[1]));
  EXPECT_FALSE(a[0].equal(a[1]));
  EXPECT_FALSE(a[0].equal(a[2]));
  EXPECT_FALSE(RowDropout(0.5, 3, training(3, 8), rows_of({{9, 0}})).mask(1, 70)[0].equal(b[0]));
  EXPECT_FALSE(RowDropout(0.5, 2, training(3, 9), rows_of({{9, 0}})).mask(1, 70)[0].equal(b[0]));
  EXPECT_FALSE(RowDropout(0.5, 2, training(4, 8), rows_of({{9, 0}})).mask(1, 70)[0].equal(b[0]));
}

TEST(RowDropout, KernelsAndGradientsUseTheSameMask) {
  const RowDropout dropout(0.4, 1, training(1, 1), rows_of({{0, 0}, {0, 1}, {5, 0}}));
  const at::Tensor mask = dropout.mask(3, 200),
                   input = initial_value(Initialiser::normal(1), {3, 200}, "x", 1, false);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kDouble}) {
    const at::Tensor x = input.clone().to(type).requires_grad_(true),
                     y = input.clone().to(type).requires_grad_(true);
    const at::Tensor dropped = drop_rows(x, dropout), rectified = relu_and_drop_rows(y, dropout);
    EXPECT_TRUE(dropped.to(at::kFloat).allclose(x.to(at::kFloat) * mask, 1e-2, 1e-2));
    EXPECT_TRUE(rectified.to(at::kFloat).allclose(x.to(at::kFloat).relu() * mask, 1e-2, 1e-2));
    torch::autograd::backward({dropped.sum() + rectified.sum()}, {});
    EXPECT_TRUE(x.grad().to(at::kFloat).allclose(mask, 1e-2));
    EXPECT_TRUE(y.grad().to(at::kFloat).allclose(mask * input.gt(0), 1e-2));
  }
}

TEST(RowDropout, DoesNothingOutsideTraining) {
  ForwardContext context;
  const RowDropout dropout(0.4, 1, context, rows_of({{0, 0}}));
  EXPECT_FALSE(dropout.active());
  const at::Tensor input = at::ones({1, 3});
  EXPECT_TRUE(drop_rows(input, dropout).is_same(input));
  EXPECT_TRUE(relu_and_drop_rows(input, dropout).equal(input));
}

}  // namespace
}  // namespace smoothlab::models
