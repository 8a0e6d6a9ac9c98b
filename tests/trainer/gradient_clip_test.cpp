#include "trainer/gradient_clip.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace smoothlab::trainer {
namespace {

TEST(GradientClip, NormIsEuclids) {
  EXPECT_FLOAT_EQ(global_norm(at::tensor({3.0f, 4.0f})).item<float>(), 5.0f);
  EXPECT_EQ(global_norm(at::zeros({100})).item<float>(), 0.0f);
  for (const int64_t n : {1, 15, 17, 16384, 16385, 100003}) {
    const at::Tensor v = at::sin(at::arange(n, at::kDouble) * 0.37 + 0.2).to(at::kFloat);
    const double expected = v.to(at::kDouble).square().sum().sqrt().item<double>();
    EXPECT_NEAR(global_norm(v).item<double>() / expected, 1, 1e-7) << n;
  }
  // Squares of these are beyond float.
  EXPECT_FLOAT_EQ(global_norm(at::tensor({3e30f, 4e30f})).item<float>(), 5e30f);
  EXPECT_FLOAT_EQ(global_norm(at::tensor({3e-30f, 4e-30f})).item<float>(), 5e-30f);
}

TEST(GradientClip, NormDoesNotDependOnThreads) {
  const at::Tensor v = at::sin(at::arange(300007, at::kDouble)).to(at::kFloat);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const float one = global_norm(v).item<float>();
  at::set_num_threads(4);
  EXPECT_EQ(global_norm(v).item<float>(), one);
  at::set_num_threads(before);
}

TEST(GradientClip, FactorShrinksAndNeverGrows) {
  EXPECT_FLOAT_EQ(clip_factor(at::scalar_tensor(4.0), 1.0).item<float>(), 0.25f);
  EXPECT_EQ(clip_factor(at::scalar_tensor(0.5), 1.0).item<float>(), 1.0f);
  EXPECT_EQ(clip_factor(at::scalar_tensor(0.0), 1.0).item<float>(), 1.0f);
  // Not-a-number stays one, so that it is seen.
  EXPECT_TRUE(std::isnan(
      clip_factor(at::scalar_tensor(std::numeric_limits<double>::quiet_NaN()), 1.0).item<float>()));
}

}  // namespace
}  // namespace smoothlab::trainer
