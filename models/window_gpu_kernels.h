#pragma once

#include <cuda_runtime_api.h>

#include "models/gpu_images.h"

namespace smoothlab::models {

// What the CUDA compiler and the C++ compiler both see: plain memory on the device, no LibTorch.

/// Local response normalisation (local_response_norm.h) over at most this many channels on either side.
constexpr int gpu_greatest_depth_radius = 4;

struct GpuResponseNorm {
  int depth_radius;
  float bias, alpha, beta;
};
cudaError_t launch_response_norm(const GpuImages& images, const GpuResponseNorm& norm, const void* x, void* y,
                                 cudaStream_t stream);
cudaError_t launch_response_norm_gradient(const GpuImages& images, const GpuResponseNorm& norm, const void* x,
                                          const void* dy, void* dx, cudaStream_t stream);

/// Maximum over 3×3 windows at stride 2, of which the first begins `padding` pixels (0 or 1) before the
/// image.
struct GpuPool {
  int padding_top, padding_left;
  int height, width;  ///< of the output
};
/// which: uint8, of the output's shape: the place of the first maximum in its window, row by row.
cudaError_t launch_max_pool(const GpuImages& images, const GpuPool& pool, const void* x, void* y,
                            uint8_t* which, cudaStream_t stream);
cudaError_t launch_max_pool_gradient(const GpuImages& images, const GpuPool& pool, const uint8_t* which,
                                     const void* dy, void* dx, cudaStream_t stream);

}  // namespace smoothlab::models
