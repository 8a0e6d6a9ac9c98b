#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace smoothlab::models {

// What the CUDA compiler and the C++ compiler both see: plain memory on the device, no LibTorch. bf16 images
// with channels innermost, weights [out channel, 3, 3, in channel], float32 sums on the tensor cores (from
// Ampere on).

/// 3×3, stride 1, padding 1, as many channels out as in.
struct NarrowConv {
  int64_t images;
  int height, width, channels;
};

/// What the device that is current can do of a shape, with the memory that it gives a block.
struct NarrowConvAbility {
  bool convolves = false;  ///< launch_narrow_conv(): 16 and 32 channels; wider ones cuDNN does as fast
  bool weights = false;    ///< launch_narrow_conv_weights(): 64 too
};
NarrowConvAbility narrow_conv_ability(const NarrowConv& shape);

/// y = x convolved with w. transposed: the derivative instead, x being the gradient of the output and y of
/// the input.
cudaError_t launch_narrow_conv(const NarrowConv& shape, const void* x, const void* w, bool transposed,
                               void* y, cudaStream_t stream);

/// Blocks of images whose sums launch_narrow_conv_weights() adds up, always in the same order.
int narrow_conv_parts(const NarrowConv& shape);
/// dw, the gradient of the weights. parts: float32 [narrow_conv_parts(), elements of w], overwritten.
cudaError_t launch_narrow_conv_weights(const NarrowConv& shape, const void* x, const void* dy, float* parts,
                                       void* dw, cudaStream_t stream);

}  // namespace smoothlab::models
