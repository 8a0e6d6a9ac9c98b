#pragma once

#include <cstdint>
#include <cstring>

namespace smoothlab::eval {

/// True when no value is NaN or infinite. Exponents of all ones, found with integers so that the compiler may
/// vectorise: every value of every file passes through here.
inline bool all_finite(const float* values, int64_t count) {
  constexpr uint32_t exponent = 0x7f800000U;
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof bits);
    bad |= static_cast<uint32_t>((bits & exponent) == exponent);
  }
  return bad == 0;
}

}  // namespace smoothlab::eval
