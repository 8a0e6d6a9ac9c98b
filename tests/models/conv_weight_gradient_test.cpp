#include "models/conv_weight_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/network.h"
#include "models/parameter_registry.h"
#include "models/trained_conv.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

using test::hashed_values;
using test::relative_difference;

struct Case {
  const char* what;
  Conv2dShape shape;
  int64_t batch, height, width;
};

at::Tensor rounded(const std::vector<int64_t>& shape, uint64_t phase) {
  return hashed_values(shape, phase, 1).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor convolved(const at::Tensor& input, const at::Tensor& weight, const Conv2dShape& shape) {
  return at::conv2d(input, weight, {}, shape.stride, {shape.padding.height, shape.padding.width});
}

class ConvWeightGradient : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!conv_weight_gradient_takes(rounded({1, 32, 1, 1}, 1), 96))
      GTEST_SKIP() << "this processor has no products of bf16 pairs";
  }
};

// bf16 results are off by up to 2^-9 of themselves; sums are float32.
TEST_P(ConvWeightGradient, AgreesWithDoublePrecision) {
  const Case& given = GetParam();
  const Conv2dShape& shape = given.shape;
  const at::Tensor input = rounded({given.batch, shape.in, given.height, given.width}, 1);
  const at::Tensor weight =
      hashed_values({shape.out, shape.in, shape.kernel.height, shape.kernel.width}, 2, 1).to(at::kDouble);
  weight.requires_grad_(true);
  const at::Tensor output = convolved(input.to(at::kDouble), weight, shape);
  const at::Tensor dy = rounded(output.sizes().vec(), 3);
  torch::autograd::backward({output}, {dy.to(at::kDouble)});

  ASSERT_TRUE(conv_weight_gradient_takes(input, shape.out));
  const at::Tensor gradient = conv_weight_gradient(input, dy, shape);
  EXPECT_EQ(gradient.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(gradient.is_contiguous(at::MemoryFormat::ChannelsLast));
  ASSERT_EQ(gradient.sizes(), weight.sizes());
  EXPECT_LT(relative_difference(gradient, weight.grad()), 2.5e-3);
  // What is rounded is no wrong sum of a few: every element is near its own.
  const at::Tensor far = (gradient.to(at::kDouble) - weight.grad()).abs() - weight.grad().abs() / 256;
  EXPECT_LT(far.max().item<double>(), 1e-4 * weight.grad().abs().max().item<double>());
}

TEST_P(ConvWeightGradient, DoesNotDependOnThreads) {
  const Case& given = GetParam();
  const Conv2dShape& shape = given.shape;
  const at::Tensor input = rounded({given.batch, shape.in, given.height, given.width}, 1);
  const at::Tensor weight = rounded({shape.out, shape.in, shape.kernel.height, shape.kernel.width}, 2);
  const at::Tensor dy = rounded(convolved(input, weight, shape).sizes().vec(), 3);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = conv_weight_gradient(input, dy, shape);
  at::set_num_threads(3);
  const at::Tensor three = conv_weight_gradient(input, dy, shape);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(alone, three));
}

// What the network trains with: ATen's output and gradient of the input, bit by bit, our gradient of the
// weight.
TEST_P(ConvWeightGradient, IsWhatATrainedConvolutionGives) {
  const Case& given = GetParam();
  const Conv2dShape& shape = given.shape;
  const at::Tensor values = rounded({given.batch, shape.in, given.height, given.width}, 1);
  const at::Tensor weights = rounded({shape.out, shape.in, shape.kernel.height, shape.kernel.width}, 2);
  const auto leaf = [](const at::Tensor& tensor) { return tensor.clone().requires_grad_(true); };
  const at::Tensor input = leaf(values), weight = leaf(weights), plain_input = leaf(values),
                   plain_weight = leaf(weights);
  ASSERT_TRUE(trained_conv_takes(input, weight));
  const at::Tensor output = trained_conv(input, weight, shape),
                   plain = convolved(plain_input, plain_weight, shape);
  const at::Tensor dy = rounded(plain.sizes().vec(), 3);
  torch::autograd::backward({output}, {dy});
  torch::autograd::backward({plain}, {dy});
  EXPECT_TRUE(at::equal(output, plain));
  EXPECT_TRUE(at::equal(input.grad(), plain_input.grad()));
  EXPECT_TRUE(at::equal(weight.grad(), conv_weight_gradient(values, dy, shape)));
  EXPECT_LT(relative_difference(weight.grad(), plain_weight.grad()), 5e-3);
}

// Blocks of 12 output channels leave 8 of 128 and 4 of 160; 256 pairs of pixels are taken at a time.
INSTANTIATE_TEST_SUITE_P(Shapes, ConvWeightGradient,
                         testing::Values(Case{"Point", {32, 128, 1}, 3, 5, 5},
                                         Case{"PointOfManyPixels", {192, 160, 1}, 5, 17, 19},
                                         Case{"Across", {64, 96, {1, 7}, 1, {0, 3}}, 2, 9, 10},
                                         Case{"Down", {32, 160, {7, 1}, 1, {3, 0}}, 2, 9, 8},
                                         Case{"Shrinking", {64, 128, 3, 2, 0}, 3, 23, 20},
                                         Case{"Same", {96, 96, 3, 1, 1}, 1, 7, 7},
                                         Case{"OnePixel", {32, 96, 3, 1, 0}, 1, 3, 3}),
                         [](const auto& chosen) { return chosen.param.what; });

TEST(ConvWeightGradientTakes, LeavesTheRestToATen) {
  const at::Tensor narrow = rounded({2, 16, 4, 4}, 1), image = rounded({2, 32, 4, 4}, 1);
  EXPECT_FALSE(conv_weight_gradient_takes(narrow, 96));
  EXPECT_FALSE(conv_weight_gradient_takes(image, 100));
  EXPECT_FALSE(conv_weight_gradient_takes(image, 64));
  EXPECT_FALSE(conv_weight_gradient_takes(image.to(at::kFloat), 96));
  EXPECT_FALSE(conv_weight_gradient_takes(image.contiguous(), 96));
  EXPECT_FALSE(trained_conv_takes(image, rounded({96, 32, 1, 1}, 2)));
}

}  // namespace
}  // namespace smoothlab::models
