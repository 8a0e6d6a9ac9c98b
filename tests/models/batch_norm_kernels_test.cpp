#include "models/batch_norm_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace smoothlab::models::batch_norm_kernels {
namespace {

// c10's conversion rounds to nearest even; every result of a kernel must round alike.
TEST(BatchNormKernels, RoundToNearestEven) {
  constexpr int64_t kRows = 512;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-30, 30), mantissa(-1, 1);
  std::vector<c10::BFloat16> x(kRows * kLanes), residual(x.size()), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = std::ldexp(mantissa(random), static_cast<int>(exponent(random)));
    residual[i] = std::ldexp(mantissa(random), static_cast<int>(exponent(random)));
  }
  // Halfway between two bf16 numbers, above an even and above an odd one; overflow; infinities.
  const float huge = std::numeric_limits<c10::BFloat16>::max(),
              infinite = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> edges = {{256, 1},      {258, 1},           {-256, -1},
                                                      {-258, -1},    {huge, huge / 256}, {huge, huge},
                                                      {infinite, 1}, {-infinite, 1}};
  for (size_t i = 0; i < edges.size(); ++i) {
    x[i] = edges[i].first;
    residual[i] = edges[i].second;
  }
  const std::vector<float> zeros(kLanes, 0), ones(kLanes, 1);
  normalise(x.data(), residual.data(), y.data(), kRows, kLanes, {zeros.data(), ones.data(), zeros.data()},
            false);
  for (size_t i = 0; i < x.size(); ++i) {
    const c10::BFloat16 expected = static_cast<float>(x[i]) + static_cast<float>(residual[i]);
    ASSERT_EQ(y[i].x, expected.x) << static_cast<float>(x[i]) << " + " << static_cast<float>(residual[i]);
  }
}

TEST(BatchNormKernels, RectifyEveryKindOfNumber) {
  const float infinite = std::numeric_limits<float>::infinity(),
              tiny = std::numeric_limits<float>::denorm_min(), nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(kLanes, -1), y(kLanes);
  const std::vector<float> special = {0.0F, -0.0F, tiny, -tiny, infinite, -infinite, nan, -nan};
  std::copy(special.begin(), special.end(), x.begin());
  const std::vector<float> zeros(kLanes, 0), ones(kLanes, 1);
  normalise(x.data(), static_cast<const float*>(nullptr), y.data(), 1, kLanes,
            {zeros.data(), ones.data(), zeros.data()}, true);
  const std::vector<float> expected = {0, 0, tiny, 0, infinite, 0};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(y[i], expected[i]) << i;
  EXPECT_TRUE(std::isnan(y[6]) && std::isnan(y[7]));
  for (size_t i = 8; i < y.size(); ++i) EXPECT_EQ(y[i], 0);
}

TEST(BatchNormKernels, MaskGradientsWhereTheOutputIsNotPositive) {
  std::vector<float> x(kLanes, 1), y(kLanes, 1), dy(kLanes), masked(kLanes), sums(2 * kLanes);
  const std::vector<float> outputs = {0.0F, -0.0F, 1e-40F, 5, -1, std::numeric_limits<float>::infinity()};
  const std::vector<bool> passes = {false, false, true, true, false, true};
  std::copy(outputs.begin(), outputs.end(), y.begin());
  for (int64_t i = 0; i < kLanes; ++i) dy[static_cast<size_t>(i)] = static_cast<float>(i + 1);
  const std::vector<float> zeros(kLanes, 0), ones(kLanes, 1);
  const Affine affine{zeros.data(), ones.data(), zeros.data()};
  sum_gradients(x.data(), dy.data(), y.data(), masked.data(), 1, kLanes, affine, Mask::from_output,
                sums.data());
  for (size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(masked[i], passes[i] ? dy[i] : 0) << i;
  // The same from the input, whose affine map is the identity here.
  sum_gradients(y.data(), dy.data(), static_cast<const float*>(nullptr), x.data(), 1, kLanes, affine,
                Mask::from_input, sums.data());
  EXPECT_EQ(x, masked);
  for (size_t i = 0; i < masked.size(); ++i) EXPECT_EQ(sums[i], masked[i]);
}

// Odd and even numbers of rows, several columns of lanes, both orders of lanes.
TEST(BatchNormKernels, SumEveryRowOfEveryChannel) {
  constexpr int64_t kChannels = 3 * kLanes;
  for (const int64_t rows : {1, 2, 7, 64}) {
    std::vector<float> x(static_cast<size_t>(rows * kChannels));
    std::vector<c10::BFloat16> half(x.size());
    std::vector<float> origin(kChannels, 2), sums(2 * kChannels), half_sums(2 * kChannels);
    for (size_t i = 0; i < x.size(); ++i) half[i] = x[i] = static_cast<float>((i * 37) % 64);
    sum_squares(x.data(), rows, kChannels, origin.data(), sums.data());
    sum_squares(half.data(), rows, kChannels, origin.data(), half_sums.data());
    for (int64_t c = 0; c < kChannels; ++c) {
      float sum = 0, squares = 0;  // small integers: exact
      for (int64_t row = 0; row < rows; ++row) {
        const float difference = x[static_cast<size_t>(row * kChannels + c)] - 2;
        sum += difference;
        squares += difference * difference;
      }
      EXPECT_EQ(sums[static_cast<size_t>(c)], sum);
      EXPECT_EQ(sums[static_cast<size_t>(kChannels + c)], squares);
    }
    EXPECT_EQ(sums, half_sums);
  }
}

}  // namespace
}  // namespace smoothlab::models::batch_norm_kernels
