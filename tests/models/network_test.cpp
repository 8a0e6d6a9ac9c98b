#include "models/network.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <set>

#include "cluster/error.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

std::unique_ptr<Network> network(const std::string& name, int64_t classes, ImageShape input = {3, 32, 32},
                                 bool channels_last = false, uint64_t seed = 1) {
  NetworkOptions options;
  options.name = name;
  options.classes = classes;
  options.input = input;
  options.channels_last = channels_last;
  options.seed = seed;
  return make_network(options);
}

// Sums of kernels, normalisation pairs and the classifier, worked out by hand from the papers' tables.
TEST(Network, HasAsManyParametersAsItsPaperSays) {
  EXPECT_EQ(network("resnet56", 10)->parameter_count(), 853018);
  EXPECT_EQ(network("resnet56", 100)->parameter_count(), 858868);
  EXPECT_EQ(network("resnet20", 10)->parameter_count(), 269722);
  EXPECT_EQ(network("resnet110", 10)->parameter_count(), 1727962);
  EXPECT_EQ(network("resnet56_t2t", 100)->parameter_count(), 3419284);
  EXPECT_EQ(network("alexnet_tutorial", 10, {3, 24, 24})->parameter_count(), 1068298);
  EXPECT_EQ(network("mlp", 10, {1, 28, 28})->parameter_count(),
            784 * 1200 + 1200 + 1200 * 1200 + 1200 + 12010);
}

TEST(Network, NamesEveryTensorOnceAndByItsRole) {
  for (const std::string name : {"mlp", "resnet20", "resnet20_t2t", "alexnet_tutorial"}) {
    const auto made = network(name, 10);
    std::set<std::string> names;
    for (const Parameter& parameter : made->parameters()) {
      EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
      EXPECT_TRUE(parameter.value.requires_grad() && parameter.value.is_leaf());
      const bool norm = parameter.name.find("norm") != std::string::npos;
      const bool weight = parameter.name.rfind(".weight") == parameter.name.size() - 7;
      const Role role = norm     ? (weight ? Role::norm_scale : Role::norm_bias)
                        : weight ? Role::weight
                                 : Role::bias;
      EXPECT_EQ(parameter.role, role) << parameter.name;
      EXPECT_EQ(parameter.keep_float32, norm || parameter.name.rfind("classifier.", 0) == 0)
          << parameter.name;
    }
    for (const Buffer& buffer : made->buffers()) EXPECT_TRUE(names.insert(buffer.name).second) << buffer.name;
  }
}

/// How a parameter must start. deviation 0: a constant. bound: truncation, 0 for none.
struct Start {
  const char* name;
  double mean, deviation, bound;
};

void expect_start(Network& made, const Start& start) {
  const at::Tensor values = test::parameter_named(made, start.name).value.detach().to(at::kDouble);
  const auto n = static_cast<double>(values.numel());
  if (start.deviation == 0) {
    EXPECT_TRUE(values.to(at::kFloat).eq(static_cast<float>(start.mean)).all().item<bool>()) << start.name;
    return;
  }
  // Five standard errors; a normal's deviation has 1/√(2n) of itself.
  EXPECT_NEAR(values.mean().item<double>(), start.mean, 5 * start.deviation / std::sqrt(n)) << start.name;
  EXPECT_NEAR(values.std().item<double>(), start.deviation, 5 * start.deviation / std::sqrt(2 * n))
      << start.name;
  if (start.bound > 0) {
    EXPECT_LE(values.abs().max().item<double>(), start.bound) << start.name;
  } else {
    EXPECT_GT(values.abs().max().item<double>(), 2.5 * start.deviation) << start.name;
  }
}

// cifar10.py: truncated normals of "stddev" 5e-2 (convolutions), 0.04 (dense) and 1/192 (classifier), of
// which truncation leaves 0.8796; biases 0, 0.1, 0.1, 0.1, 0.
TEST(Network, AlexnetStartsAsTheTutorialDoes) {
  const auto made = network("alexnet_tutorial", 10, {3, 24, 24});
  constexpr double kLeft = 0.87962566;
  for (const Start& start :
       {Start{"conv1.weight", 0, 0.05 * kLeft, 0.1}, Start{"conv1.bias", 0, 0, 0},
        Start{"conv2.weight", 0, 0.05 * kLeft, 0.1}, Start{"conv2.bias", 0.1, 0, 0},
        Start{"dense1.weight", 0, 0.04 * kLeft, 0.08}, Start{"dense1.bias", 0.1, 0, 0},
        Start{"dense2.weight", 0, 0.04 * kLeft, 0.08}, Start{"dense2.bias", 0.1, 0, 0},
        Start{"classifier.weight", 0, kLeft / 192, 2 / 192.0}, Start{"classifier.bias", 0, 0, 0}})
    expect_start(*made, start);
  EXPECT_EQ(made->parameters().size(), 10U);
}

// He et al. 2015: N(0, 2/fan_in) for kernels; the classifier N(0, 1/fan_in).
TEST(Network, ClassicResnetStartsAsHeSays) {
  const auto made = network("resnet20", 100);
  for (const Start& start :
       {Start{"stem.conv.weight", 0, std::sqrt(2 / 27.0), 0},
        Start{"group1.block0.conv1.weight", 0, std::sqrt(2 / 144.0), 0},
        Start{"group2.block0.conv1.weight", 0, std::sqrt(2 / 144.0), 0},
        Start{"group2.block0.conv2.weight", 0, std::sqrt(2 / 288.0), 0},
        Start{"group3.block2.conv2.weight", 0, std::sqrt(2 / 576.0), 0}, Start{"stem.norm.weight", 1, 0, 0},
        Start{"group3.block2.norm2.weight", 1, 0, 0}, Start{"group3.block2.norm2.bias", 0, 0, 0},
        Start{"classifier.weight", 0, 1 / 8.0, 0}, Start{"classifier.bias", 0, 0, 0}})
    expect_start(*made, start);
}

// tensor2tensor's models/resnet.py: tf.variance_scaling_initializer(), a truncated normal of variance
// 1/fan_in; its top layer takes the model's initialiser, "normal_unit_scaling" with gain 2, of variance 2
// over the mean of both fans.
TEST(Network, Tensor2tensorResnetStartsAsItsSourceSays) {
  const auto made = network("resnet20_t2t", 100);
  constexpr double kCut = 2 / 0.87962566;  // truncation, in deviations of what is left
  const auto scaled = [&](const char* name, double variance) {
    return Start{name, 0, std::sqrt(variance), kCut * std::sqrt(variance)};
  };
  for (const Start& start :
       {scaled("stem.conv.weight", 1 / 27.0), scaled("group1.block0.shortcut.conv.weight", 1 / 16.0),
        scaled("group1.block0.conv1.weight", 1 / 144.0), scaled("group2.block1.conv2.weight", 1 / 576.0),
        scaled("group3.block2.conv2.weight", 1 / 1152.0), scaled("classifier.weight", 4 / 228.0),
        Start{"classifier.bias", 0, 0, 0}, Start{"stem.norm.weight", 1, 0, 0},
        Start{"group1.block0.shortcut.norm.weight", 1, 0, 0}, Start{"group3.block2.norm2.bias", 0, 0, 0}})
    expect_start(*made, start);
}

TEST(Network, StartsFromSeedAndNameWhateverTheStrides) {
  const auto plain = network("resnet20", 10), strided = network("resnet20", 10, {3, 32, 32}, true),
             other = network("resnet20", 10, {3, 32, 32}, false, 2), wider = network("resnet20", 100);
  for (size_t i = 0; i < plain->parameters().size(); ++i) {
    const Parameter& parameter = plain->parameters()[i];
    EXPECT_TRUE(at::equal(parameter.value, strided->parameters()[i].value)) << parameter.name;
    if (parameter.name.find("conv") == std::string::npos) continue;
    EXPECT_TRUE(strided->parameters()[i].value.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_FALSE(at::equal(parameter.value, other->parameters()[i].value)) << parameter.name;
    EXPECT_TRUE(at::equal(parameter.value, wider->parameters()[i].value)) << parameter.name;
  }
}

TEST(Network, TakesOtherImageSizes) {
  for (const std::string name : {"mlp", "resnet8", "resnet8_t2t", "alexnet_tutorial"}) {
    for (const ImageShape shape : {ImageShape{1, 28, 28}, ImageShape{3, 33, 27}}) {
      const auto made = network(name, 5, shape, true);
      const at::Tensor images = test::hashed_values({2, shape.channels, shape.height, shape.width}, 1, 1);
      ForwardContext context;
      for (const bool training : {false, true}) {
        context.training = training;
        const Rows rows = made->forward({images}, context);
        EXPECT_EQ(rows.logits.sizes(), (std::vector<int64_t>{2, 5})) << name;
        EXPECT_TRUE(rows.logits.isfinite().all().item<bool>()) << name;
      }
    }
  }
}

TEST(Network, GivesNearlyTheSameInBf16) {
  for (const std::string name : {"mlp", "resnet20", "resnet20_t2t", "alexnet_tutorial"}) {
    const auto made = network(name, 10, {3, 24, 24}, true);
    const at::Tensor images =
        test::hashed_values({16, 3, 24, 24}, 1, 1.7).contiguous(at::MemoryFormat::ChannelsLast);
    ForwardContext context;
    context.training = true;
    const Rows full = made->forward({images}, context);
    const Rows half = made->forward({images.to(at::kBFloat16)}, context);
    EXPECT_EQ(half.logits.scalar_type(), at::kFloat);
    EXPECT_LT(test::relative_difference(half.penultimate, full.penultimate), 0.03) << name;
    EXPECT_GT(test::relative_difference(half.penultimate, full.penultimate), 1e-5) << name;
    torch::autograd::backward({half.logits.sum()}, {});
    for (const Parameter& parameter : made->parameters()) {
      EXPECT_TRUE(parameter.value.grad().isfinite().all().item<bool>()) << parameter.name;
    }
  }
}

TEST(Network, TakesWorkingCopiesInPlaceOfItsWeights) {
  const auto made = network("resnet8", 10, {3, 16, 16}, true);
  const at::Tensor images =
      test::hashed_values({4, 3, 16, 16}, 1, 1).contiguous(at::MemoryFormat::ChannelsLast);
  const Rows cast = made->forward({images.to(at::kBFloat16)}, {});
  for (Parameter& parameter : made->parameters()) {
    if (!parameter.keep_float32) {
      parameter.value = parameter.value.detach().to(at::kBFloat16).set_requires_grad(true);
    }
  }
  EXPECT_TRUE(at::equal(made->forward({images.to(at::kBFloat16)}, {}).logits, cast.logits));
}

template <typename Call>
std::string complaint(Call call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(Network, SaysWhichNameWasMeant) {
  EXPECT_THAT(complaint([] { network("resnet65", 10); }), testing::HasSubstr("depth 65"));
  EXPECT_THAT(complaint([] { network("resnte56", 10); }), testing::HasSubstr("resnet56"));
  EXPECT_THAT(complaint([] { network("resnet56_tt", 10); }), testing::HasSubstr("resnet56_t2t"));
  EXPECT_THAT(complaint([] { network("alexnet", 10); }), testing::HasSubstr("alexnet_tutorial"));
  EXPECT_THAT(complaint([] { network("resnet99999999999999999999", 10); }),
              testing::HasSubstr("unknown network"));
}

TEST(Network, ChecksNameAndOptionsWithoutBuilding) {
  const auto of = [](const std::string& name, std::vector<int64_t> hidden,
                     const std::string& initialisation) {
    NetworkOptions options;
    options.name = name;
    options.hidden = std::move(hidden);
    options.initialisation = initialisation;
    return complaint([&] { check_network_options(options); });
  };
  EXPECT_EQ(of("resnet1202", {}, ""), "none");
  EXPECT_EQ(of("mlp", {5}, "deviation-0.03"), "none");
  EXPECT_THAT(of("resnet1208", {}, ""), testing::HasSubstr("1202"));
  EXPECT_THAT(of("mlp", {0}, ""), testing::HasSubstr("model.hidden"));
  EXPECT_THAT(of("mlp", {}, "xavier"), testing::HasSubstr("model.initialisation"));
  EXPECT_THAT(of("", {}, ""), testing::HasSubstr("missing"));
}

TEST(Network, RefusesOptionsThatItHasNot) {
  NetworkOptions options;
  options.name = "resnet20";
  options.hidden = {100};
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("model.hidden"));
  options.hidden = {};
  options.dropout = 0.5;
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("model.dropout"));
  options.dropout = 0;
  options.initialisation = "he";
  EXPECT_THAT(complaint([&] { check_network_options(options); }), testing::HasSubstr("model.initialisation"));
  options.initialisation = "";
  options.classes = 1;
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("two classes"));
}

}  // namespace
}  // namespace smoothlab::models
