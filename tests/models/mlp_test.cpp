#include "models/mlp.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cluster/error.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

NetworkOptions small() {
  NetworkOptions options;
  options.name = "mlp";
  options.input = {1, 4, 5};
  options.classes = 3;
  options.hidden = {8, 6};
  return options;
}

TEST(Mlp, IsReluOfAffineMaps) {
  Mlp network(small());
  test::fill_hashed(network);
  const at::Tensor images = test::hashed_values({5, 1, 4, 5}, 0, 1);
  const Rows rows = network.forward({images}, {});
  at::Tensor x = images.view({5, 20}).to(at::kDouble);
  for (size_t layer = 0; layer < 3; ++layer) {
    const at::Tensor weight = network.parameters()[2 * layer].value.detach().to(at::kDouble);
    const at::Tensor bias = network.parameters()[2 * layer + 1].value.detach().to(at::kDouble);
    x = at::mm(x, weight.t()) + bias;
    if (layer < 2) x = x.clamp_min(0);
    if (layer == 1) {
      EXPECT_LT(test::relative_difference(rows.penultimate, x), 1e-6);
    }
  }
  EXPECT_LT(test::relative_difference(rows.logits, x), 1e-6);
}

TEST(Mlp, ReadsChannelsLastImagesInTheSameOrder) {
  NetworkOptions options = small();
  options.input = {3, 4, 5};
  Mlp network(options);
  const at::Tensor images = test::hashed_values({5, 3, 4, 5}, 0, 1);
  const at::Tensor strided = images.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::equal(network.forward({images}, {}).logits, network.forward({strided}, {}).logits));
}

TEST(Mlp, OffersBothReadingsOfVariance) {
  NetworkOptions options = small();
  options.hidden = {300, 200};
  for (const auto& [name, deviation] :
       {std::pair{"variance-0.03", std::sqrt(0.03)}, std::pair{"deviation-0.03", 0.03}}) {
    options.initialisation = name;
    const Mlp network(options);
    const at::Tensor weight = network.parameters()[2].value.detach();  // 60,000 elements
    EXPECT_NEAR(weight.square().mean().sqrt().item<double>(), deviation, deviation * 0.015) << name;
    EXPECT_EQ(network.parameters()[3].value.abs().sum().item<double>(), 0);
  }
}

TEST(Mlp, DropsHiddenUnitsAlikeInAnyBatch) {
  NetworkOptions options = small();
  options.dropout = 0.5;
  options.input_dropout = 0.2;
  Mlp network(options);
  const at::Tensor images = test::hashed_values({6, 1, 4, 5}, 0, 1);
  ForwardContext whole;
  whole.training = true;
  whole.seed = 3;
  whole.step = 11;
  whole.sample_ids = at::arange(100, 106, at::kLong);
  const at::Tensor together = network.forward({images}, whole).penultimate;
  EXPECT_FALSE(at::equal(together, network.forward({images}, {}).penultimate));

  ForwardContext part = whole;
  const at::Tensor order = at::flip(at::arange(2, 5, at::kLong), 0);
  part.sample_ids = whole.sample_ids.index_select(0, order);
  const at::Tensor apart = network.forward({images.index_select(0, order)}, part).penultimate;
  EXPECT_LT(test::relative_difference(apart, together.index_select(0, order)), 1e-6);

  part.step = 12;
  EXPECT_FALSE(at::equal(apart, network.forward({images.index_select(0, order)}, part).penultimate));
  part.sample_ids = at::Tensor();
  EXPECT_THROW(network.forward({images}, part), RunError);
}

TEST(Mlp, RefusesImpossibleOptions) {
  const auto refused = [](auto change) {
    NetworkOptions options = small();
    change(options);
    EXPECT_THROW(Mlp{options}, UsageError);
  };
  refused([](NetworkOptions& options) { options.hidden = {8, 0}; });
  refused([](NetworkOptions& options) { options.dropout = 1; });
  refused([](NetworkOptions& options) { options.input_dropout = -0.1; });
  refused([](NetworkOptions& options) { options.dropout = std::nan(""); });
  refused([](NetworkOptions& options) { options.initialisation = "variance"; });
}

}  // namespace
}  // namespace smoothlab::models
