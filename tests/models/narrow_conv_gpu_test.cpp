#include "models/narrow_conv.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "cluster/device.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

using Shape = std::vector<int64_t>;  ///< images, channels, height, width

struct Convolved {
  at::Tensor y, dx, dw;
};

template <typename Convolve>
Convolved run(at::Tensor x, at::Tensor w, const at::Tensor& dy, const Convolve& convolve) {
  x = x.detach().clone().set_requires_grad(true);
  w = w.detach().clone().set_requires_grad(true);
  const at::Tensor y = convolve(x, w);
  torch::autograd::backward({y}, {dy});
  return {y.detach(), x.grad(), w.grad()};
}

class NarrowConvGpu : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  }
  /// bf16, channels last.
  static at::Tensor values(const Shape& shape, uint64_t seed) {
    return test::hashed_values(shape, seed, 1).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  }
  static Convolved on_gpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& dy) {
    const c10::Device gpu(at::kCUDA, 0);
    return run(x.to(gpu), w.to(gpu), dy.to(gpu), narrow_conv);
  }
};

// bf16 numbers multiply exactly in float32; only sums and results are rounded.
TEST_P(NarrowConvGpu, AgreesWithDoublePrecision) {
  const Shape& shape = GetParam();
  const at::Tensor x = values(shape, 1), dy = values(shape, 3), w = values({shape[1], shape[1], 3, 3}, 2);
  ASSERT_TRUE(narrow_conv_takes(x.to(at::kCUDA), w.to(at::kCUDA)));
  const Convolved own = on_gpu(x, w, dy);
  const Convolved expected = run(
      x.to(at::kDouble), w.to(at::kDouble), dy.to(at::kDouble),
      [](const at::Tensor& image, const at::Tensor& weight) { return at::conv2d(image, weight, {}, 1, 1); });
  EXPECT_LT(test::relative_difference(own.y.cpu(), expected.y), 2.5e-3);
  EXPECT_LT(test::relative_difference(own.dx.cpu(), expected.dx), 2.5e-3);
  EXPECT_LT(test::relative_difference(own.dw.cpu(), expected.dw), 2.5e-3);
}

TEST_P(NarrowConvGpu, RepeatsItsBits) {
  const Shape& shape = GetParam();
  const at::Tensor x = values(shape, 1), dy = values(shape, 3), w = values({shape[1], shape[1], 3, 3}, 2);
  const Convolved first = on_gpu(x, w, dy), second = on_gpu(x, w, dy);
  EXPECT_TRUE(first.y.equal(second.y) && first.dx.equal(second.dx) && first.dw.equal(second.dw));
}

// Those of the networks, and such whose rows fill no tile and no block.
INSTANTIATE_TEST_SUITE_P(, NarrowConvGpu,
                         testing::Values(Shape{8, 16, 32, 32}, Shape{8, 32, 16, 16}, Shape{8, 32, 32, 32},
                                         Shape{8, 64, 8, 8}, Shape{8, 64, 16, 16}, Shape{130, 16, 32, 32},
                                         Shape{130, 32, 16, 16}, Shape{130, 64, 8, 8}, Shape{3, 16, 7, 9},
                                         Shape{3, 32, 13, 5}, Shape{3, 64, 9, 11}, Shape{1, 16, 1, 1},
                                         Shape{2, 32, 20, 64}, Shape{300, 16, 9, 33}),
                         [](const auto& chosen) { return test::shape_name(chosen.param); });

}  // namespace
}  // namespace smoothlab::models
