#include "models/resnet_imagenet.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "reference_values.h"

namespace smoothlab::models {
namespace {

/// Networks of 26 million numbers: every test works on the same one, and the last changes it.
class ResnetImagenetNetwork : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    NetworkOptions options;
    options.name = "resnet50_imagenet";
    options.classes = 1000;
    options.input = {3, 224, 224};
    options.channels_last = true;
    network_ = make_network(options).release();
  }
  static void TearDownTestSuite() { delete network_; }
  static Network& network() { return *network_; }

 private:
  static inline Network* network_ = nullptr;
};

// torchvision's count. Its kernels: N(0, 2/fan_out).
TEST_F(ResnetImagenetNetwork, StartsAsTorchvisionsDoes) {
  EXPECT_EQ(network().parameter_count(), 25557032);
  EXPECT_EQ(network().penultimate_size(), 2048);
  const auto deviation = [&](const char* name) {
    return test::parameter_named(network(), name).value.detach().std().item<double>();
  };
  EXPECT_NEAR(deviation("stem.conv1.weight"), std::sqrt(2 / (64 * 49.0)), 1e-3);
  EXPECT_NEAR(deviation("group4.block0.conv2.weight"), std::sqrt(2 / (512 * 9.0)), 1e-4);
  EXPECT_NEAR(deviation("group4.block0.shortcut.conv.weight"), std::sqrt(2 / 2048.0), 1e-4);
  EXPECT_NEAR(deviation("classifier.weight"), 1 / std::sqrt(3 * 2048.0), 1e-4);
}

// Running statistics: those of a few pixels would make much of what bf16 rounds.
TEST_F(ResnetImagenetNetwork, GivesNearlyTheSameInBf16AndTakesOtherSizes) {
  const c10::NoGradGuard no_gradients;
  const at::Tensor images =
      test::hashed_values({2, 3, 65, 90}, 1, 1.7).contiguous(at::MemoryFormat::ChannelsLast);
  const Rows full = network().forward({images}, {}), half = network().forward({images.to(at::kBFloat16)}, {});
  EXPECT_EQ(half.logits.scalar_type(), at::kFloat);
  EXPECT_LT(test::relative_difference(half.penultimate, full.penultimate), 0.03);
}

// Figures of reference/resnet50.py (PyTorch 1.13, float64).
TEST_F(ResnetImagenetNetwork, GivesTheLogitsAndGradientsOfPyTorch) {
  test::fill_hashed(network());
  const at::Tensor images = test::hashed_values({3, 3, 96, 64}, 1001, 2);
  const std::vector<double> first{-1.6688115, -1.7569967, -0.4157533, -1.1334395},
      last{-1.5932579, -0.7243717, -0.4876935, -2.6110595};
  ForwardContext context;
  context.training = true;

  // As it is used: float32, channels last, one operation for normalisation, sum and ReLU.
  const auto channels_last = images.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor rounded = network().forward({channels_last}, context).logits;
  for (int64_t k = 0; k < 4; ++k)
    EXPECT_NEAR(rounded[2][k].item<double>(), last[static_cast<size_t>(k)], 5e-3);
  {
    const c10::NoGradGuard no_gradients;
    EXPECT_NEAR(network().forward({channels_last}, {}).logits.norm().item<double>(), 29290.463659, 3);
  }

  test::to_double(network());
  const Rows rows = network().forward({images.to(at::kDouble)}, context);
  ASSERT_EQ(rows.logits.sizes(), (std::vector<int64_t>{3, 1000}));
  for (int64_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(rows.logits[0][k].item<double>(), first[static_cast<size_t>(k)], 5e-6);
    EXPECT_NEAR(rows.logits[2][k].item<double>(), last[static_cast<size_t>(k)], 5e-6);
  }
  const at::Tensor loss = at::cross_entropy_loss(rows.logits, at::arange(3, at::kLong));
  EXPECT_NEAR(loss.item<double>(), 9.809697967, 1e-5);
  torch::autograd::backward({loss}, {});
  test::expect_gradients(network(), {{"stem.conv1.weight", 635.651984726, 101.461211024},
                                     {"group1.block0.shortcut.norm.weight", 22.748234768, -11.139837987},
                                     {"group2.block0.conv2.weight", 273.873874977, -79.527835514},
                                     {"group3.block4.norm1.bias", 0.770227685, 0.019874965},
                                     {"group4.block2.conv3.weight", 4.053570021, -0.183696188},
                                     {"classifier.weight", 30.370037359, 0.889351709}});
}

}  // namespace
}  // namespace smoothlab::models
