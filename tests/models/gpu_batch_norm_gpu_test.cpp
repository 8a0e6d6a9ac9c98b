#include "models/gpu_batch_norm.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "cluster/device.h"
#include "norm_problem.h"

namespace smoothlab::models {
namespace {

using test::expect_near;
using test::Problem;
using test::Result;

Problem on_gpu(const Problem& given) {
  return test::on(at::Device(at::kCUDA, 0), given);
}

Result on_cpu(Result result) {
  for (at::Tensor* tensor : {&result.y, &result.dx, &result.dresidual, &result.dweight, &result.dbias,
                             &result.mean, &result.variance})
    if (tensor->defined()) *tensor = tensor->cpu();
  return result;
}

class GpuBatchNormGpu : public testing::TestWithParam<std::tuple<int64_t, bool, bool>> {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  }
};

// Few pixels and many, of channels that are a part of a tile, a tile, and several of which the last is a
// part.
TEST_P(GpuBatchNormGpu, AgreesWithDoublePrecision) {
  const auto& [channels, residual, relu] = GetParam();
  for (const std::vector<int64_t>& size : {std::vector<int64_t>{4, 6, 6}, {32, 31, 33}}) {
    const Problem given = test::problem(channels, 0.3, residual, size);
    ASSERT_TRUE(gpu_batch_norm_takes(on_gpu(given).x));
    expect_near(on_cpu(test::fused(on_gpu(given), at::kFloat, relu)),
                test::reference(given, at::kFloat, relu), 2e-6, 4e-6);
    expect_near(on_cpu(test::fused(on_gpu(given), at::kBFloat16, relu)),
                test::reference(given, at::kBFloat16, relu), 2.5e-3, 4e-6);
  }
}

TEST_P(GpuBatchNormGpu, RepeatsItsBits) {
  const auto& [channels, residual, relu] = GetParam();
  const Problem given = on_gpu(test::problem(channels, 0.3, residual, {32, 31, 33}));
  const Result first = test::fused(given, at::kBFloat16, relu),
               second = test::fused(given, at::kBFloat16, relu);
  EXPECT_TRUE(first.y.equal(second.y) && first.dx.equal(second.dx) && first.dweight.equal(second.dweight) &&
              first.dbias.equal(second.dbias) && first.mean.equal(second.mean));
}

TEST_P(GpuBatchNormGpu, EvaluatesAsOnTheCpu) {
  const auto& [channels, residual, relu] = GetParam();
  const c10::NoGradGuard no_grad;
  const Problem given = test::problem(channels, 0.3, residual);
  const auto evaluated = [relu = relu](const Problem& p) {
    BatchNormArguments arguments;
    arguments.weight = p.weight, arguments.bias = p.bias;
    arguments.running_mean = at::full_like(p.weight, 0.5), arguments.running_var = at::full_like(p.weight, 2);
    arguments.relu = relu;
    return fused_batch_norm(p.x, p.residual, arguments).cpu();
  };
  EXPECT_LT(test::relative_difference(evaluated(on_gpu(given)), evaluated(given)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(, GpuBatchNormGpu,
                         testing::Combine(testing::Values(8, 16, 32, 64, 48, 200), testing::Bool(),
                                          testing::Bool()),
                         [](const auto& chosen) {
                           return "c" + std::to_string(std::get<0>(chosen.param)) +
                                  (std::get<1>(chosen.param) ? "_add" : "") +
                                  (std::get<2>(chosen.param) ? "_relu" : "");
                         });

TEST(GpuBatchNormGpuOperation, KeepsDigitsFarFromZero) {
  if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const Problem given = test::problem(32, 1000, false, {16, 16, 16});
  expect_near(on_cpu(test::fused(on_gpu(given), at::kFloat, false)),
              test::reference(given, at::kFloat, false), 1e-4, 1e-5);
}

}  // namespace
}  // namespace smoothlab::models
