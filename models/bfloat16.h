#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

namespace smoothlab::models {

// Conversions as the compiler vectorises them; c10's look for NaN with a branch.

inline float to_float(c10::BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.x) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}
inline float to_float(float value) {
  return value;
}

/// To nearest, ties to even. A NaN made by arithmetic stays one.
inline c10::BFloat16 to_bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits += 0x7fffU + ((bits >> 16) & 1U);
  return c10::BFloat16(static_cast<uint16_t>(bits >> 16), c10::BFloat16::from_bits());
}

inline void put(float value, float& to) {
  to = value;
}
inline void put(double value, double& to) {
  to = value;
}
inline void put(float value, c10::BFloat16& to) {
  to = to_bfloat16(value);
}

}  // namespace smoothlab::models
