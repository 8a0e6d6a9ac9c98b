// Forward and backward passes against figures made once with PyTorch 1.13 in float64: the networks were
// written there a second time from their papers' and sources' descriptions with torch.nn.functional
// (batch_norm, conv2d, pad, local_response_norm with alpha · 9, max_pool2d on an input padded with −∞),
// parameters and images filled with the same integer hash.

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
  at::Tensor images = test::hashed_values({4, 3, expected.size, expected.size}, 0, 2);
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
                                             5.079378152,
                                             {-2.7577134, -1.6074791, -0.7044899, -0.2027326},
                                             {-3.5046213, -1.7293997, -0.8753142, 0.4826426},
                                             {{"stem.conv.weight", 2.759166478, 1.728066890},
                                              {"group2.block0.norm2.weight", 0.375552783, 0.100254266},
                                              {"group2.block1.conv2.weight", 2.717842922, 0.595743538},
                                              {"group3.block1.norm1.bias", 0.120142809, -0.039672190},
                                              {"classifier.weight", 9.464472288, -1.306990341}}},
                                     Figures{
                                         "resnet14_t2t",
                                         16,
                                         691511,
                                         2.270344374,
                                         {-0.5846662, 0.5288521, 0.4702156, 0.9199698},
                                         {0.3384125, 0.1256105, 0.5782879, 0.8763118},
                                         {{"stem.conv.weight", 2.987915398, -0.740177691},
                                          {"group2.block0.shortcut.norm.weight", 0.188361792, 0.189834766},
                                          {"group2.block1.conv2.weight", 2.962508642, -0.326059596},
                                          {"group3.block1.norm1.bias", 0.112740968, 0.014348945},
                                          {"classifier.weight", 3.228586742, -2.191398721}}},
                                     Figures{"alexnet_tutorial",
                                             24,
                                             1067719,
                                             6.426456731,
                                             {-1.2726407, 0.3060569, -4.0043524, 0.6505961},
                                             {-2.8178260, 0.0401627, -2.6603932, 0.4771569},
                                             {{"conv1.weight", 10.158203472, 8.494367001},
                                              {"conv1.bias", 1.421889060, -0.361817413},
                                              {"conv2.weight", 98.125694293, -60.383545018},
                                              {"dense1.weight", 144.769853993, -81.073284279},
                                              {"classifier.weight", 50.564734608, -48.024327922}}}),
                     testing::Bool()),
    [](const auto& chosen) {
      return std::string(std::get<0>(chosen.param).network) + (std::get<1>(chosen.param) ? "_nhwc" : "_nchw");
    });

}  // namespace
}  // namespace smoothlab::models
