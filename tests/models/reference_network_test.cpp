// Forward and backward passes against figures that reference/networks.py printed (PyTorch 1.13, float64): the
// networks written a second time from their sources' descriptions, parameters and images filled with the same
// integer hash. The phase of the images keeps every input of a ReLU further from 0 than float32 rounds.

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "reference_values.h"

namespace smoothlab::models {
namespace {

struct Figures {
  const char* network;
  int64_t size, parameters;
  uint64_t image_phase;
  double loss;
  std::vector<double> first, last;  ///< four logits of the first and the last image
  std::vector<test::GradientFigures> gradients;
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
  test::expect_gradients(*network, expected.gradients);
}

INSTANTIATE_TEST_SUITE_P(
    , ReferenceNetwork,
    testing::Combine(testing::Values(Figures{"resnet14",
                                             16,
                                             172311,
                                             1017,
                                             5.264376042,
                                             {-3.5991315, -2.0626697, -0.1272957, 0.0410914},
                                             {-3.4040152, -1.3466114, -0.5538036, 0.2432314},
                                             {{"stem.conv.weight", 2.436510160, 1.501001871},
                                              {"group2.block0.norm2.weight", 0.368723937, -0.034840215},
                                              {"group2.block1.conv2.weight", 2.495321414, -0.518418121},
                                              {"group3.block1.norm1.bias", 0.129081954, 0.059963693},
                                              {"classifier.weight", 9.550222645, -2.421966489}}},
                                     Figures{
                                         "resnet14_t2t",
                                         16,
                                         691511,
                                         1037,
                                         2.065903476,
                                         {-0.0622496, 0.1312286, -0.1569049, 1.1151025},
                                         {0.2269842, 0.3076214, 0.6266908, 0.9877631},
                                         {{"stem.conv.weight", 3.032172228, 3.056095120},
                                          {"group2.block0.shortcut.norm.weight", 0.217180210, -0.009958726},
                                          {"group2.block1.conv2.weight", 3.068512529, -1.766312672},
                                          {"group3.block1.norm1.bias", 0.112331349, -0.144917496},
                                          {"classifier.weight", 3.378138178, 1.205911564}}},
                                     Figures{"alexnet_tutorial",
                                             24,
                                             1067719,
                                             1005,
                                             5.803376253,
                                             {-3.8823631, 0.6629229, -2.5346213, -0.6854009},
                                             {-0.8842399, 0.1995936, -0.5549921, 0.2510892},
                                             {{"conv1.weight", 10.224046448, -4.560421183},
                                              {"conv1.bias", 1.255379859, 0.148517332},
                                              {"conv2.weight", 97.169705207, -101.998015043},
                                              {"dense1.weight", 130.867591138, -103.670528445},
                                              {"classifier.weight", 46.083998638, -45.856773778}}}),
                     testing::Bool()),
    [](const auto& chosen) {
      return std::string(std::get<0>(chosen.param).network) + (std::get<1>(chosen.param) ? "_nhwc" : "_nchw");
    });

}  // namespace
}  // namespace smoothlab::models
