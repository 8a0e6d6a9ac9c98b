#include "models/network.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

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

TEST(Network, RefusesOptionsThatItHasNot) {
  NetworkOptions options;
  options.name = "resnet20";
  options.hidden = {100};
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("model.hidden"));
  options.hidden = {};
  options.dropout = 0.5;
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("model.dropout"));
  options.dropout = 0;
  options.classes = 1;
  EXPECT_THAT(complaint([&] { make_network(options); }), testing::HasSubstr("two classes"));
}

}  // namespace
}  // namespace smoothlab::models
