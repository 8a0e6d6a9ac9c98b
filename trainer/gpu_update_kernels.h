#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace smoothlab::trainer {

// What the CUDA compiler and the C++ compiler both see: plain memory on the device, no LibTorch.

/// A run of elements that one block of threads updates.
struct GpuChunk {
  int64_t begin;
  int32_t count;
  float lr_scale, weight_decay;
};
constexpr int gpu_chunk_elements = 2048;

struct GpuBuffers {
  float* weights;
  const float* gradients;
  void* working;            ///< bf16, or null
  const float* grad_scale;  ///< or null: 1
  const float* factors;     ///< lr, 1/correction1, 1/√correction2
  const GpuChunk* chunks;
  int chunk_count;
  bool decoupled;
};

struct GpuMomentum {
  float* buffer;  ///< or null
  float momentum, share;
  bool nesterov;
};
struct GpuAdam {
  float *first, *second;
  float beta1, beta2, epsilon;
};
struct GpuRmsprop {
  float *mean_square, *buffer;  ///< buffer: or null
  float decay, epsilon, momentum;
  bool epsilon_inside;
};

cudaError_t launch_update(const GpuBuffers& buffers, const GpuMomentum& rule, cudaStream_t stream);
cudaError_t launch_update(const GpuBuffers& buffers, const GpuAdam& rule, cudaStream_t stream);
cudaError_t launch_update(const GpuBuffers& buffers, const GpuRmsprop& rule, cudaStream_t stream);

}  // namespace smoothlab::trainer
