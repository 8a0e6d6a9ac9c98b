#include "models/gpu_windows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "cluster/device.h"
#include "models/max_pool.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

using Shape = std::vector<int64_t>;  ///< images, channels, height, width
using Operation = std::function<at::Tensor(const at::Tensor&)>;

struct Passed {
  at::Tensor y, dx;
};

/// Forward and backward; the gradient is the same wherever it is computed.
Passed pass(const at::Tensor& values, const Operation& operation) {
  const at::Tensor x = values.detach().clone().set_requires_grad(true);
  const at::Tensor y = operation(x);
  const at::Tensor dy =
      test::hashed_values(y.sizes().vec(), 7, 1).to(at::kBFloat16).to(y.device(), y.scalar_type());
  torch::autograd::backward({y}, {dy});
  return {y.detach(), x.grad()};
}

class GpuWindowsGpu : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  }

  /// Numbers that bf16 holds, so that all types start from the same.
  static void expect_same(const Operation& operation, double tolerance) {
    const at::Tensor x =
        test::hashed_values(GetParam(), 1, 3).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
    const Passed expected = pass(x.to(at::kFloat), operation);
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor on_gpu = x.to(at::kCUDA, type);
      ASSERT_TRUE(gpu_windows_take(on_gpu));
      const Passed own = pass(on_gpu, operation);
      const double allowed = type == at::kFloat ? tolerance : 2.5e-3;
      EXPECT_LT(test::relative_difference(own.y.cpu(), expected.y), allowed) << type;
      EXPECT_LT(test::relative_difference(own.dx.cpu(), expected.dx), allowed) << type;
    }
  }
};

TEST_P(GpuWindowsGpu, NormaliseAsOnTheCpu) {
  for (const LocalResponseNorm norm :
       {LocalResponseNorm{4, 1.0, 0.1, 0.75}, LocalResponseNorm{2, 2.0, 0.5, 0.5},
        LocalResponseNorm{4, 1.0, 0.001 / 9, 0.75}})
    expect_same(norm, 2e-6);
}

// Equal maxima are common among bf16 numbers: both sides must give the gradient to the first.
TEST_P(GpuWindowsGpu, PoolAsOnTheCpu) {
  expect_same([](const at::Tensor& x) { return max_pool_3x3_same(x); }, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(, GpuWindowsGpu,
                         testing::Values(Shape{4, 64, 24, 24}, Shape{4, 64, 12, 12}, Shape{3, 8, 7, 5},
                                         Shape{2, 24, 1, 2}, Shape{5, 16, 9, 10}),
                         [](const auto& chosen) { return test::shape_name(chosen.param); });

}  // namespace
}  // namespace smoothlab::models
