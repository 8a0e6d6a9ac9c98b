#include "models/fused_batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "norm_problem.h"

namespace smoothlab::models {
namespace {

using test::expect_near;
using test::fused;
using test::leaf;
using test::problem;
using test::Problem;
using test::reference;
using test::Result;

class FusedBatchNorm : public testing::TestWithParam<std::tuple<int64_t, bool, bool>> {};

TEST_P(FusedBatchNorm, AgreesWithDoublePrecision) {
  const auto& [channels, residual, relu] = GetParam();
  const Problem given = problem(channels, 0.3, residual);
  expect_near(fused(given, at::kFloat, relu), reference(given, at::kFloat, relu), 2e-6, 2e-6);
}

// A bf16 number is off by up to 2^-9 of itself; sums are over float32 and exact by comparison. With a
// residual the mask is taken from the rounded output, which has the same sign.
TEST_P(FusedBatchNorm, RoundsOnlyItsResultsInBf16) {
  const auto& [channels, residual, relu] = GetParam();
  const Problem given = problem(channels, 0.3, residual);
  const Result result = fused(given, at::kBFloat16, relu);
  EXPECT_EQ(result.y.scalar_type(), at::kBFloat16);
  EXPECT_EQ(result.dweight.scalar_type(), at::kFloat);
  expect_near(result, reference(given, at::kBFloat16, relu), 2.5e-3, 2e-6);
}

// What the kernels do not take: images that are not channels-last, and 16 channels (two pixels to a row of
// lanes) with an odd number of pixels.
TEST_P(FusedBatchNorm, TrainsOffTheKernelsToo) {
  const auto& [channels, residual, relu] = GetParam();
  Problem planes = problem(channels, 0.3, residual);
  planes.x = planes.x.contiguous();
  if (residual) planes.residual = planes.residual.contiguous();
  planes.dy = planes.dy.contiguous();
  for (const Problem& given : {planes, problem(channels, 0.3, residual, {3, 5, 5})}) {
    expect_near(fused(given, at::kFloat, relu), reference(given, at::kFloat, relu), 2e-6, 2e-6);
    const Result half = fused(given, at::kBFloat16, relu);
    EXPECT_EQ(half.y.scalar_type(), at::kBFloat16);
    EXPECT_EQ(half.dx.scalar_type(), at::kBFloat16);
    EXPECT_EQ(half.dweight.scalar_type(), at::kFloat);
    expect_near(half, reference(given, at::kBFloat16, relu), 2.5e-3, 4e-6);
  }
}

class FusedBatchNormOfSlices : public testing::TestWithParam<std::tuple<int64_t, bool, bool>> {};

// Some channels of a wider image, as convolutions side by side leave them, and of a wider gradient, as
// branches put together get it.
TEST_P(FusedBatchNormOfSlices, IsThatOfDenseImagesBitwise) {
  const auto& [channels, residual, relu] = GetParam();
  const Problem dense = problem(channels, 0.3, residual);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Result expected = fused(dense, type, relu);
    const at::Tensor beside =
        test::hashed_values({4, 32, 6, 6}, 9, 1).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor wide = at::cat({beside, dense.x, beside}, 1).to(type).requires_grad_(true);
    Problem given = dense;
    given.x = wide.narrow(1, 32, channels);
    const auto in_the_middle = [&, relu = relu](const at::Tensor& x, const at::Tensor& added,
                                                BatchNormArguments a) {
      a.relu = relu;
      return at::cat({beside.to(type), fused_batch_norm(x, added, a)}, 1);
    };
    const Result result =
        test::run_on(given, type, at::kFloat, in_the_middle, at::cat({beside, dense.dy}, 1));
    EXPECT_TRUE(at::equal(result.y.narrow(1, 32, channels), expected.y));
    EXPECT_TRUE(at::equal(wide.grad().narrow(1, 32, channels), expected.dx));
    EXPECT_EQ(wide.grad().narrow(1, 0, 32).abs().max().item<float>(), 0);
    if (residual) {
      EXPECT_TRUE(at::equal(result.dresidual, expected.dresidual));
    }
    EXPECT_TRUE(at::equal(result.dweight, expected.dweight));
    EXPECT_TRUE(at::equal(result.dbias, expected.dbias));
    EXPECT_TRUE(at::equal(result.mean, expected.mean));
    EXPECT_TRUE(at::equal(result.variance, expected.variance));
  }
}

INSTANTIATE_TEST_SUITE_P(, FusedBatchNormOfSlices,
                         testing::Combine(testing::Values(32, 96), testing::Bool(), testing::Bool()));

INSTANTIATE_TEST_SUITE_P(, FusedBatchNorm,
                         testing::Combine(testing::Values(16, 24, 32, 48, 64, 128), testing::Bool(),
                                          testing::Bool()),
                         [](const auto& chosen) {
                           return "c" + std::to_string(std::get<0>(chosen.param)) +
                                  (std::get<1>(chosen.param) ? "_add" : "") +
                                  (std::get<2>(chosen.param) ? "_relu" : "");
                         });

TEST(FusedBatchNormOperation, KeepsDigitsFarFromZero) {
  const Problem given = problem(32, 1000, false, {16, 16, 16});
  // What float32 inputs near 1000 with deviation 1 hold is good to about 1e-4.
  expect_near(fused(given, at::kFloat, false), reference(given, at::kFloat, false), 1e-4, 1e-5);
}

TEST(FusedBatchNormOperation, HasTheGradientOfItsFiniteDifferences) {
  for (const bool residual : {false, true}) {
    const Problem given = problem(16, 0, residual, {2, 3, 4});
    const Result result = fused(given, at::kFloat, true);
    const auto objective = [&](const Problem& at_point) {
      const Result there = fused(at_point, at::kFloat, true);
      return (there.y.to(at::kDouble) * given.dy.to(at::kDouble)).sum().item<double>();
    };
    const auto check = [&](at::Tensor Problem::*member, const at::Tensor& gradient) {
      const at::Tensor direction = test::hashed_values((given.*member).sizes().vec(), 9, 1);
      constexpr double kStep = 1e-3;
      Problem ahead = given, behind = given;
      ahead.*member = given.*member + direction * kStep;
      behind.*member = given.*member - direction * kStep;
      const double slope = (objective(ahead) - objective(behind)) / (2 * kStep);
      const double expected = (gradient.to(at::kDouble) * direction.to(at::kDouble)).sum().item<double>();
      EXPECT_NEAR(slope, expected, 0.01 * std::max(1.0, std::abs(expected)));
    };
    check(&Problem::x, result.dx);
    check(&Problem::weight, result.dweight);
    check(&Problem::bias, result.dbias);
    if (residual) check(&Problem::residual, result.dresidual);
  }
}

TEST(FusedBatchNormOperation, IsTheSameOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  const Problem given = problem(16, 0.3, true, {8, 32, 32});
  at::set_num_threads(1);
  const Result one = fused(given, at::kBFloat16, true);
  at::set_num_threads(3);
  const Result three = fused(given, at::kBFloat16, true);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.y, three.y) && at::equal(one.dx, three.dx) &&
              at::equal(one.dweight, three.dweight) && at::equal(one.dbias, three.dbias) &&
              at::equal(one.variance, three.variance));
}

TEST(FusedBatchNormOperation, UsesRunningStatisticsInEvaluation) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Problem given = problem(48, 0.3, true);
    BatchNormArguments arguments;
    arguments.weight = given.weight;
    arguments.bias = given.bias;
    arguments.running_mean = test::hashed_values({48}, 6, 1);
    arguments.running_var = test::hashed_values({48}, 7, 0.5) + 1;
    arguments.relu = true;
    const at::Tensor mean = arguments.running_mean.clone(), x = given.x.to(dtype),
                     residual = given.residual.to(dtype);
    const at::Tensor y = fused_batch_norm(x, residual, arguments);
    const auto column = [](const at::Tensor& values) { return values.to(at::kDouble).view({1, -1, 1, 1}); };
    const at::Tensor expected =
        at::relu((x.to(at::kDouble) - column(mean)) / (column(arguments.running_var) + 1e-5).sqrt() *
                     column(given.weight) +
                 column(given.bias) + residual.to(at::kDouble));
    EXPECT_LT(test::relative_difference(y, expected), dtype == at::kFloat ? 1e-6 : 2.5e-3);
    EXPECT_TRUE(at::equal(arguments.running_mean, mean));
    // With gradients wanted it takes the other way and gives the same.
    const at::Tensor tracked = fused_batch_norm(leaf(x, dtype), residual, arguments);
    EXPECT_TRUE(tracked.requires_grad());
    EXPECT_LT(test::relative_difference(tracked, y), dtype == at::kFloat ? 1e-6 : 8e-3);
  }
}

TEST(FusedBatchNormOperation, TakesLayoutsThatItHasNoKernelsFor) {
  Problem given = problem(16, 0.3, true, {3, 5, 5});  // an odd number of pixels
  expect_near(fused(given, at::kFloat, true), reference(given, at::kFloat, true), 2e-6, 5e-6);
  given = problem(3, 0.3, true);
  expect_near(fused(given, at::kFloat, true), reference(given, at::kFloat, true), 2e-6, 5e-6);
  given = problem(32, 0.3, true);
  given.x = given.x.contiguous();
  expect_near(fused(given, at::kFloat, true), reference(given, at::kFloat, true), 2e-6, 5e-6);
}

TEST(FusedBatchNormOperation, TakesGradientsOfAnyStrides) {
  Problem given = problem(32, 0.3, true);
  given.dy = test::hashed_values({4, 32, 1, 1}, 5, 1).expand({4, 32, 6, 6});
  expect_near(fused(given, at::kFloat, true), reference(given, at::kFloat, true), 2e-6, 2e-6);
  given.residual = given.residual.contiguous();
  expect_near(fused(given, at::kBFloat16, true), reference(given, at::kBFloat16, true), 2.5e-3, 2e-6);
}

TEST(FusedBatchNormOperation, LetsNaNThrough) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const float sign : {1.0F, -1.0F}) {
      const Problem given = problem(32, 0, false);
      at::Tensor x = given.x.to(dtype);
      x[1][7][2][3].fill_(std::copysign(std::numeric_limits<float>::quiet_NaN(), sign));
      BatchNormArguments arguments;
      arguments.weight = given.weight;
      arguments.bias = given.bias;
      arguments.running_mean = at::zeros({32});
      arguments.running_var = at::ones({32});
      arguments.relu = true;
      EXPECT_EQ(fused_batch_norm(x, {}, arguments).isnan().sum().item<int64_t>(), 1);
      arguments.training = true;  // one channel is lost, the others are not
      EXPECT_EQ(fused_batch_norm(x, {}, arguments).isnan().sum().item<int64_t>(), 4 * 6 * 6);
    }
  }
}

// The unbiased variance of one value is not a number, and would stay in the running average for good.
TEST(FusedBatchNormOperation, OneValueAChannelLeavesItsStatisticsFinite) {
  for (const at::MemoryFormat format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast})
    for (const int64_t channels : {3, 16, 64}) {
      const at::Tensor input =
          at::arange(1, channels + 1, at::kFloat).view({1, channels, 1, 1}).contiguous(format);
      at::Tensor mean = at::zeros({channels}), variance = at::ones({channels});
      const at::Tensor output = fused_batch_norm(
          input, {},
          {at::ones({channels}), at::full({channels}, 5.0), mean, variance, 1e-3, 0.1, true, false});
      EXPECT_TRUE(output.allclose(at::full_like(output, 5), 1e-5));
      EXPECT_TRUE(mean.allclose(0.1 * input.flatten()));
      EXPECT_TRUE(variance.allclose(at::full({channels}, 0.9))) << variance;
    }
}

TEST(FusedBatchNormOperation, IsFiniteOnConstantChannels) {
  Problem given = problem(32, 0, false);
  given.x = at::full_like(given.x, 3.7);
  const Result result = fused(given, at::kFloat, false);
  EXPECT_TRUE(result.dx.isfinite().all().item<bool>());
  EXPECT_LT((result.y - given.bias.view({1, -1, 1, 1})).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace smoothlab::models
