// Forward and backward passes against figures made once with PyTorch 1.13 in float64: the networks were
// written there a second time from their papers' and sources' descriptions with torch.nn.functional
// (batch_norm, conv2d, pad, local_response_norm with alpha · 9, max_pool2d on an input padded with −∞),
// parameters and images filled with the same integer hash; the phase of the images keeps every input of a
// ReLU further from 0 than float32 rounds.

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "reference_values.h"

namespace smoothlab::models {
namespace {

struct GradientFigures {
  const char* parameter;
  double norm, projection;  ///< projection: on hashed values of phase 300
};

struct Figures {
  const char* network;
  int64_t size, parameters;
  uint64_t image_phase;
  double loss;
  std::vector<double> first, last;  ///< four logits of the first and the last image
  std::vector<GradientFigures> gradients;
};

void PrintTo(const Figures& figures, std::ostream* out) {
  *out << figures.network;
}

class ReferenceNetwork : public testing::TestWithParam<std::tuple<Figures, bool>> {};

TEST_P(ReferenceNetwork, GivesTheLogitsAndGradientsOfPyTorch) {
  const auto& [expected, channels_last] = GetParam();
  NetworkOptions options;
  options.name = expected.network;
  options.classes = 7;
  options.input = {3, expected.size, expected.size};
  options.channels_last = channels_last;
  const auto network = make_network(options);
  EXPECT_EQ(network->parameter_count(), expected.parameters);
  test::fill_hashed(*network);
  at::Tensor images = test::hashed_values({4, 3, expected.size, expected.size}, expected.image_phase, 2);
  if (channels_last) images = images.contiguous(at::MemoryFormat::ChannelsLast);

  ForwardContext context;
  context.training = true;
  const Rows rows = network->forward({images}, context);
  ASSERT_EQ(rows.logits.sizes(), (std::vector<int64_t>{4, 7}));
  ASSERT_EQ(rows.penultimate.sizes(), (std::vector<int64_t>{4, network->penultimate_size()}));
  EXPECT_EQ(rows.logits.scalar_type(), at::kFloat);
  for (int64_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(rows.logits[0][k].item<double>(), expected.first[static_cast<size_t>(k)], 2e-5);
    EXPECT_NEAR(rows.logits[3][k].item<double>(), expected.last[static_cast<size_t>(k)], 2e-5);
  }
  const Classifier classifier = network->classifier();
  const at::Tensor again = at::linear(rows.penultimate, classifier.weight, classifier.bias);
  EXPECT_TRUE(at::equal(again, rows.logits));

  const at::Tensor loss = at::cross_entropy_loss(rows.logits, at::arange(4, at::kLong));
  EXPECT_NEAR(loss.item<double>(), expected.loss, 1e-5);
  torch::autograd::backward({loss}, {});
  for (const GradientFigures& figures : expected.gradients) {
    const Parameter& parameter = test::parameter_named(*network, figures.parameter);
    const at::Tensor gradient = parameter.value.grad().to(at::kDouble);
    EXPECT_NEAR(gradient.norm().item<double>(), figures.norm, 1e-4 * figures.norm) << figures.parameter;
    const at::Tensor direction = test::hashed_values(gradient.sizes().vec(), 300, 1).to(at::kDouble);
    EXPECT_NEAR((gradient * direction).sum().item<double>(), figures.projection, 1e-4 * figures.norm)
        << figures.parameter;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , ReferenceNetwork,
    testing::Combine(testing::Values(Figures{"resnet14",
                                             16,
                                             172311,
                                             1017,
                                             5.264376012,
                                             {-3.5991314, -2.0626696, -0.1272956, 0.0410914},
                                             {-3.4040152, -1.3466114, -0.5538035, 0.2432315},
                                             {{"stem.conv.weight", 2.436510198, 1.501001700},
                                              {"group2.block0.norm2.weight", 0.368723939, -0.034840241},
                                              {"group2.block1.conv2.weight", 2.495321449, -0.518418691},
                                              {"group3.block1.norm1.bias", 0.129081956, 0.059963700},
                                              {"classifier.weight", 9.550222698, -2.421966540}}},
                                     Figures{
                                         "resnet14_t2t",
                                         16,
                                         691511,
                                         1037,
                                         2.065903513,
                                         {-0.0622496, 0.1312286, -0.1569051, 1.1151025},
                                         {0.2269842, 0.3076215, 0.6266909, 0.9877630},
                                         {{"stem.conv.weight", 3.032172222, 3.056095464},
                                          {"group2.block0.shortcut.norm.weight", 0.217180218, -0.009958724},
                                          {"group2.block1.conv2.weight", 3.068512555, -1.766312231},
                                          {"group3.block1.norm1.bias", 0.112331349, -0.144917479},
                                          {"classifier.weight", 3.378138125, 1.205911608}}},
                                     Figures{"alexnet_tutorial",
                                             24,
                                             1067719,
                                             1005,
                                             5.803376164,
                                             {-3.8823630, 0.6629227, -2.5346214, -0.6854010},
                                             {-0.8842399, 0.1995937, -0.5549924, 0.2510893},
                                             {{"conv1.weight", 10.224046260, -4.560421064},
                                              {"conv1.bias", 1.255379812, 0.148517271},
                                              {"conv2.weight", 97.169702001, -101.998007930},
                                              {"dense1.weight", 130.867587620, -103.670519942},
                                              {"classifier.weight", 46.083997753, -45.856770133}}}),
                     testing::Bool()),
    [](const auto& chosen) {
      return std::string(std::get<0>(chosen.param).network) + (std::get<1>(chosen.param) ? "_nhwc" : "_nchw");
    });

}  // namespace
}  // namespace smoothlab::models
