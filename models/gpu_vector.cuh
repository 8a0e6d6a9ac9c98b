#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace smoothlab::models {

/// 16 bytes of float32 or bf16 numbers, which a thread reads and writes at once and computes with as float32.
template <typename T>
struct GpuVector;

template <>
struct GpuVector<float> {
  static constexpr int size = 4;
  float4 raw;
  __device__ void to(float* out) const { out[0] = raw.x, out[1] = raw.y, out[2] = raw.z, out[3] = raw.w; }
  __device__ void from(const float* in) { raw = make_float4(in[0], in[1], in[2], in[3]); }
};

template <>
struct GpuVector<__nv_bfloat16> {
  static constexpr int size = 8;
  uint4 raw;
  __device__ void to(float* out) const {
    const auto* pairs = reinterpret_cast<const __nv_bfloat162*>(&raw);
    for (int i = 0; i < 4; ++i) {
      const float2 pair = __bfloat1622float2(pairs[i]);
      out[2 * i] = pair.x, out[2 * i + 1] = pair.y;
    }
  }
  __device__ void from(const float* in) {
    auto* pairs = reinterpret_cast<__nv_bfloat162*>(&raw);
    for (int i = 0; i < 4; ++i) pairs[i] = __floats2bfloat162_rn(in[2 * i], in[2 * i + 1]);
  }
};

template <typename T>
__device__ void load(const T* from, int64_t offset, float* out) {
  // By way of a copy: taken apart where it lies, it would be read in pieces.
  const GpuVector<T> vector = *reinterpret_cast<const GpuVector<T>*>(from + offset);
  vector.to(out);
}

template <typename T>
__device__ void store(T* to, int64_t offset, const float* values) {
  GpuVector<T> vector;
  vector.from(values);
  *reinterpret_cast<GpuVector<T>*>(to + offset) = vector;
}

/// Calls launch(T{}) with the type of the numbers, and says how that went.
template <typename Launch>
cudaError_t launch_for_type(bool bfloat16, const Launch& launch) {
  if (bfloat16)
    launch(__nv_bfloat16{});
  else
    launch(float{});
  return cudaGetLastError();
}

template <typename T>
const T* as(const void* pointer, T) {
  return static_cast<const T*>(pointer);
}
template <typename T>
T* as(void* pointer, T) {
  return static_cast<T*>(pointer);
}

}  // namespace smoothlab::models
