#include "eval/half_precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace smoothlab::eval {
namespace {

// IEEE 754 binary16 by its definition: (−1)^s · 2^(e−15) · (1 + m/1024), subnormal 2^−14 · m/1024.
float by_definition(uint16_t half) {
  const int sign = half >> 15, exponent = (half >> 10) & 31, mantissa = half & 1023;
  const double value = exponent == 31  ? (mantissa ? std::nan("") : INFINITY)
                       : exponent == 0 ? std::ldexp(mantissa / 1024.0, -14)
                                       : std::ldexp(1 + mantissa / 1024.0, exponent - 15);
  return static_cast<float>(sign ? -value : value);
}

TEST(HalfPrecision, ReadsEveryHalf) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats(halves.size());
  halves_to_floats(halves.data(), 65536, floats.data());
  for (size_t i = 0; i < halves.size(); ++i) {
    const float expected = by_definition(halves[i]);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(floats[i])) << i;
    else
      ASSERT_EQ(floats[i], expected) << i;
  }
}

TEST(HalfPrecision, RoundsToNearestEven) {
  const std::vector<float> floats{1.0F,      1.0F + 1.0F / 2048, 1.0F + 3.0F / 2048,
                                  -65504.0F, 65519.99F,          65520.0F,
                                  1e-8F,     5.9604645e-8F,      0.1F};
  const std::vector<uint16_t> expected{0x3c00, 0x3c00, 0x3c02, 0xfbff, 0x7bff, 0x7c00, 0, 1, 0x2e66};
  std::vector<uint16_t> halves(floats.size());
  floats_to_halves(floats.data(), static_cast<int64_t>(floats.size()),
                   halves.data());  // eight at once, one alone
  EXPECT_EQ(halves, expected);
  for (size_t i = 0; i < floats.size(); ++i) {
    uint16_t half = 0;
    floats_to_halves(&floats[i], 1, &half);  // without vectors
    EXPECT_EQ(half, expected[i]) << floats[i];
  }
}

}  // namespace
}  // namespace smoothlab::eval
