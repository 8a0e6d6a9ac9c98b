#include "models/inception_v4.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <set>

#include "cluster/error.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

NetworkOptions options_of(int64_t height, int64_t width) {
  NetworkOptions options;
  options.name = "inception_v4";
  options.classes = 1000;
  options.input = {3, height, width};
  options.channels_last = true;
  return options;
}

constexpr int64_t kHeight = 155, kWidth = 107;

/// Networks of 43 million numbers: every test works on the same one, and the last changes it.
class InceptionV4Network : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    NetworkOptions options = options_of(kHeight, kWidth);
    options.auxiliary_head = true;
    network_ = make_network(options).release();
  }
  static void TearDownTestSuite() { delete network_; }
  static Network& network() { return *network_; }

 private:
  static inline Network* network_ = nullptr;
};

bool auxiliary(const std::string& name) {
  return name.rfind("auxiliary.", 0) == 0;
}

ForwardContext training_context() {
  ForwardContext context;
  context.training = true;
  return context;
}

// Sums over slim's table: every kernel, two numbers a channel, and 1537 · 1000; of the auxiliary head
// 1024 · 128 + 2 · 128 + 128 · 2 · 768 + 2 · 768 + 769 · 1000.
TEST_F(InceptionV4Network, HasAsManyParametersAsItsSourceSays) {
  int64_t own = 0, beside = 0;
  std::set<std::string> names;
  for (const Parameter& parameter : network().parameters()) {
    (auxiliary(parameter.name) ? beside : own) += parameter.value.numel();
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    const bool norm = parameter.name.find("norm") != std::string::npos;
    EXPECT_EQ(parameter.role == Role::norm_scale || parameter.role == Role::norm_bias, norm);
    EXPECT_EQ(parameter.keep_float32, norm || parameter.name.rfind("classifier.", 0) == 0) << parameter.name;
  }
  EXPECT_EQ(own, 42679816);
  EXPECT_EQ(beside, 1098472);
  EXPECT_EQ(network().penultimate_size(), 1536);
  EXPECT_EQ(network().classes(), 1000);
}

// slim's variance_scaling_initializer(): a normal of deviation √(1.3 · 2/fan_in), cut at two of them; xavier
// for the classifier.
TEST_F(InceptionV4Network, StartsAsSlimDoes) {
  const auto values = [&](const char* name) {
    return test::parameter_named(network(), name).value.detach().to(at::kDouble);
  };
  const struct {
    const char* name;
    double fan_in;
  } kernels[] = {{"stem.conv1.weight", 27},
                 {"mixed_6c.branch1.conv2.weight", 192 * 7},
                 {"mixed_7d.branch2.conv5.weight", 512 * 3},
                 {"auxiliary.conv2.weight", 128 * 2}};
  for (const auto& kernel : kernels) {
    const double cut = 2 * std::sqrt(2.6 / kernel.fan_in), deviation = 0.87962566 * cut / 2;
    const at::Tensor found = values(kernel.name);
    EXPECT_LE(found.abs().max().item<double>(), cut * (1 + 1e-6)) << kernel.name;
    EXPECT_NEAR(found.std().item<double>(), deviation,
                5 * deviation / std::sqrt(2 * static_cast<double>(found.numel())))
        << kernel.name;
  }
  const double bound = std::sqrt(6 / 2536.0);
  EXPECT_LE(values("classifier.weight").abs().max().item<double>(), bound);
  EXPECT_NEAR(values("classifier.weight").std().item<double>(), bound / std::sqrt(3), 1e-4);
  EXPECT_EQ(values("classifier.bias").abs().max().item<double>(), 0);
}

// bf16 keeps 8 bits, and there are 149 convolutions.
TEST_F(InceptionV4Network, GivesNearlyTheSameInBf16) {
  const at::Tensor images =
      test::hashed_values({2, 3, 107, 107}, 1, 1.7).contiguous(at::MemoryFormat::ChannelsLast);
  const c10::NoGradGuard no_gradients;
  const Rows full = network().forward({images}, {}), half = network().forward({images.to(at::kBFloat16)}, {});
  EXPECT_EQ(half.logits.scalar_type(), at::kFloat);
  EXPECT_FALSE(half.auxiliary_logits.defined());
  EXPECT_LT(test::relative_difference(half.penultimate, full.penultimate), 0.05);
}

TEST_F(InceptionV4Network, TakesOtherSizesAndRefusesSmallerOnes) {
  const c10::NoGradGuard no_gradients;
  const at::Tensor logits = network().forward({test::hashed_values({1, 3, 75, 90}, 1, 1)}, {}).logits;
  EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{1, 1000}));
  EXPECT_TRUE(logits.isfinite().all().item<bool>());

  const auto complaint = [](int64_t height, int64_t width, bool head, double dropout) {
    NetworkOptions options = options_of(height, width);
    options.auxiliary_head = head;
    options.dropout = dropout;
    try {
      make_network(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(complaint(74, 299, false, 0), testing::HasSubstr("75×75"));
  EXPECT_THAT(complaint(299, 74, false, 0), testing::HasSubstr("not 299×74"));
  EXPECT_THAT(complaint(106, 107, true, 0), testing::HasSubstr("107×107"));
  EXPECT_THAT(complaint(299, 299, false, 1), testing::HasSubstr("model.dropout"));
}

// Figures of reference/inception_v4.py (PyTorch 1.13, float64).
TEST_F(InceptionV4Network, GivesTheLogitsAndGradientsOfPyTorch) {
  test::fill_hashed(network());
  const at::Tensor images = test::hashed_values({3, 3, kHeight, kWidth}, 1001, 2);
  const at::Tensor labels = at::arange(3, at::kLong);
  const std::vector<double> first{0.0488126, 0.5697336, -0.3748355, -0.3575615},
      last{0.5419135, 0.1252853, -0.5784718, 0.4533940},
      beside{0.4773313, -0.6682918, -0.4303607, -1.0464847},
      running{0.0623347, -0.6609723, -0.1353387, 0.0552474};
  const auto expect_row = [](const at::Tensor& row, const std::vector<double>& expected, double tolerance) {
    for (int64_t k = 0; k < 4; ++k)
      EXPECT_NEAR(row[k].item<double>(), expected[static_cast<size_t>(k)], tolerance);
  };

  // As it is used: float32, channels last, one operation for normalisation and ReLU.
  const auto channels_last = images.contiguous(at::MemoryFormat::ChannelsLast);
  const Rows rounded = network().forward({channels_last}, training_context());
  expect_row(rounded.logits[0], first, 5e-3);
  expect_row(rounded.auxiliary_logits[2], beside, 5e-3);
  {
    const c10::NoGradGuard no_gradients;
    const Rows judged = network().forward({channels_last}, {});
    expect_row(judged.logits[2], running, 1e-5);
    EXPECT_NEAR(judged.logits.norm().item<double>(), 58.804012, 1e-3);
  }

  test::to_double(network());
  const Rows rows = network().forward({images.to(at::kDouble)}, training_context());
  ASSERT_EQ(rows.logits.sizes(), (std::vector<int64_t>{3, 1000}));
  ASSERT_EQ(rows.penultimate.sizes(), (std::vector<int64_t>{3, 1536}));
  ASSERT_EQ(rows.auxiliary_logits.sizes(), rows.logits.sizes());
  expect_row(rows.logits[0], first, 2e-6);
  expect_row(rows.logits[2], last, 2e-6);
  expect_row(rows.auxiliary_logits[2], beside, 2e-6);

  const at::Tensor loss = at::cross_entropy_loss(rows.logits, labels) +
                          rows.auxiliary_weight * at::cross_entropy_loss(rows.auxiliary_logits, labels);
  EXPECT_NEAR(loss.item<double>(), 10.500836907, 1e-5);
  torch::autograd::backward({loss}, {});
  test::expect_gradients(network(), {{"stem.conv1.weight", 4204.950479577, -4105.017433882},
                                     {"mixed_4a.branch1.conv2.weight", 4909.534739483, -2697.012466364},
                                     {"mixed_5c.branch3.conv1.weight", 985.135692640, -179.101180338},
                                     {"mixed_6d.branch2.norm4.weight", 5.748959799, 2.947562956},
                                     {"mixed_6f.branch2.conv3.weight", 86.674686541, 47.524178204},
                                     {"auxiliary.conv2.weight", 6.465562655, 2.982837364},
                                     {"mixed_7a.branch1.conv3.weight", 18.430953122, -0.856454492},
                                     {"mixed_7c.branch2.conv4.weight", 4.560965050, 3.550310805},
                                     {"mixed_7d.branch1.norm3.bias", 0.174685063, 0.024224562},
                                     {"classifier.weight", 11.537322728, -2.961270801}});
}

TEST(InceptionV4Dropout, DropsUnitsBeforeTheClassifierBySampleWhileTraining) {
  NetworkOptions options = options_of(75, 75);
  options.classes = 5;
  options.dropout = 0.2;
  const auto network = make_network(options);
  EXPECT_EQ(network->parameter_count(), 42679816 - 1537 * 995);
  const at::Tensor images = test::hashed_values({2, 3, 75, 75}, 1, 1);
  const c10::NoGradGuard no_gradients;
  EXPECT_THROW(network->forward({images}, training_context()), RunError);
  ForwardContext context = training_context();
  context.sample_ids = at::arange(2, at::kLong);
  const Rows once = network->forward({images}, context), again = network->forward({images}, context);
  EXPECT_TRUE(at::equal(once.logits, again.logits));
  context.step = 1;
  EXPECT_FALSE(at::equal(network->forward({images}, context).logits, once.logits));
  EXPECT_FALSE(once.auxiliary_logits.defined());
}

}  // namespace
}  // namespace smoothlab::models
