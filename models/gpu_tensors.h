#pragma once

#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>

#include "models/gpu_images.h"

namespace smoothlab::models {

// Between tensors and the kernels that take plain memory. Only files that are compiled with CUDA include it.

/// Whether kernels take the tensor as GpuImages. A gradient, or whatever else has its shape, becomes such by
/// as_images().
inline bool are_gpu_images(const at::Tensor& tensor) {
  if (!tensor.is_cuda() || tensor.dim() != 4 || tensor.numel() == 0) return false;
  const bool bfloat16 = tensor.scalar_type() == at::kBFloat16;
  return (bfloat16 || tensor.scalar_type() == at::kFloat) &&
         tensor.size(1) % gpu_vector_size(bfloat16) == 0 &&
         tensor.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         reinterpret_cast<uintptr_t>(tensor.data_ptr()) % 16 == 0;
}

inline GpuImages images_of(const at::Tensor& tensor) {
  return {tensor.size(0), static_cast<int>(tensor.size(2)), static_cast<int>(tensor.size(3)),
          static_cast<int>(tensor.size(1)), tensor.scalar_type() == at::kBFloat16};
}

inline at::Tensor as_images(const at::Tensor& tensor, const at::Tensor& like) {
  const at::Tensor images = tensor.to(like.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
  return are_gpu_images(images) ? images
                                : images.clone(at::MemoryFormat::ChannelsLast);  // a view out of line
}

inline cudaStream_t stream_of(const at::Tensor& tensor) {
  return c10::cuda::getCurrentCUDAStream(tensor.device().index());
}

}  // namespace smoothlab::models
