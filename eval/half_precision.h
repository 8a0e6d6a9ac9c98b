#pragma once

#include <cstdint>

namespace smoothlab::eval {

/// IEEE binary16 ↔ float32, whole arrays; round to nearest even, values out of ±65504 become infinite. Uses
/// F16C where the CPU has it.
void floats_to_halves(const float* in, int64_t count, uint16_t* out);
void halves_to_floats(const uint16_t* in, int64_t count, float* out);

}  // namespace smoothlab::eval
