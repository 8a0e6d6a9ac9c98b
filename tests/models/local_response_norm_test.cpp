#include "models/local_response_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "models/max_pool.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

TEST(LocalResponseNorm, FollowsTheFormulaOfTensorFlow) {
  const at::Tensor x = test::hashed_values({2, 11, 3, 4}, 1, 3);
  for (const LocalResponseNorm norm :
       {LocalResponseNorm{4, 1.0, 0.1, 0.75}, LocalResponseNorm{2, 2.0, 0.5, 0.5}}) {
    const at::Tensor y = norm(x), strided = norm(x.contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(test::relative_difference(strided, y), 1e-6);
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t c = 0; c < 11; ++c) {
        double sum = 0;
        for (int64_t k = std::max<int64_t>(c - norm.depth_radius, 0);
             k <= std::min<int64_t>(c + norm.depth_radius, 10); ++k) {
          sum += std::pow(x[b][k][2][1].item<double>(), 2);
        }
        const double expected =
            x[b][c][2][1].item<double>() / std::pow(norm.bias + norm.alpha * sum, norm.beta);
        EXPECT_NEAR(y[b][c][2][1].item<double>(), expected, 2e-6);
      }
    }
  }
}

// SAME padding by hand: windows begin at −⌊padding/2⌋ with padding = max((⌈n/2⌉ − 1)·2 + 3 − n, 0).
TEST(LocalResponseNorm, ComesWithAPoolThatPadsAsTensorFlow) {
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{6, 5}, {7, 8}, {1, 2}, {24, 24}}) {
    const at::Tensor x = test::hashed_values({1, 1, height, width}, 2, 1) - 5;  // zeros of padding would win
    const at::Tensor y = max_pool_3x3_same(x);
    ASSERT_EQ(y.sizes(), (std::vector<int64_t>{1, 1, (height + 1) / 2, (width + 1) / 2}));
    const auto begin = [](int64_t n) { return -(std::max<int64_t>(((n + 1) / 2 - 1) * 2 + 3 - n, 0) / 2); };
    for (int64_t i = 0; i < y.size(2); ++i) {
      for (int64_t j = 0; j < y.size(3); ++j) {
        const int64_t top = begin(height) + 2 * i, left = begin(width) + 2 * j;
        const at::Tensor window = x.slice(2, std::max<int64_t>(top, 0), std::min(top + 3, height))
                                      .slice(3, std::max<int64_t>(left, 0), std::min(left + 3, width));
        EXPECT_EQ(y[0][0][i][j].item<float>(), window.max().item<float>());
      }
    }
  }
}

}  // namespace
}  // namespace smoothlab::models
