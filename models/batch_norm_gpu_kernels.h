#pragma once

#include <cuda_runtime_api.h>

#include "models/gpu_images.h"

namespace smoothlab::models {

// What the CUDA compiler and the C++ compiler both see: plain memory on the device, no LibTorch. Images are
// rows of pixels with channels innermost ("channels last"), of float32 or bf16; everything a channel has one
// of is float32.
//
// Each pass is one launch. The first of a direction leaves sums of blocks of pixels; each block of the second
// adds up those of its channels for itself, always in the same order: nothing waits, nothing is zeroed
// before, and results do not depend on the device or on what else it does.

/// Blocks of pixels, so many sums of each channel; from the shape alone.
int gpu_norm_blocks(const GpuImages& images);

struct GpuNorm {
  const float *weight, *bias;  ///< [C]
  double epsilon;
  bool relu;
};

/// sums: [blocks, 2, C], of x − first pixel and of its square.
cudaError_t launch_norm_sums(const GpuImages& images, const void* x, float* sums, cudaStream_t stream);

struct GpuBatchStatistics {
  float *running_mean, *running_var;  ///< [C]; moved
  double momentum;
  float* saved;  ///< [3, C]: mean, 1/√(var + ε) and what float32 drops of the mean, for backward
};
/// y = relu((x − mean) / √(var + ε) · weight + bias + residual). residual: or null.
cudaError_t launch_normalise(const GpuImages& images, const GpuNorm& norm,
                             const GpuBatchStatistics& statistics, const float* sums, const void* x,
                             const void* residual, void* y, cudaStream_t stream);

/// The same with the running statistics in place of the batch's.
cudaError_t launch_normalise_running(const GpuImages& images, const GpuNorm& norm, const float* running_mean,
                                     const float* running_var, const void* x, const void* residual, void* y,
                                     cudaStream_t stream);

/// Where the gradient of y passes: everywhere without relu; y: what forward gave, or null: x tells, as there
/// was no residual.
struct GpuNormGradient {
  const void *x, *y, *dy;
  const float* saved;
};
/// sums: [blocks, 2, C], of g and g · (x − mean), where g is dy where it passes.
cudaError_t launch_norm_gradient_sums(const GpuImages& images, const GpuNorm& norm,
                                      const GpuNormGradient& gradient, float* sums, cudaStream_t stream);
/// d_residual: g itself, or null. d_weight, d_bias: [C].
cudaError_t launch_norm_gradient(const GpuImages& images, const GpuNorm& norm,
                                 const GpuNormGradient& gradient, const float* sums, void* dx,
                                 void* d_residual, float* d_weight, float* d_bias, cudaStream_t stream);

}  // namespace smoothlab::models
