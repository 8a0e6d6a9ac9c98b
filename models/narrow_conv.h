#pragma once

#include <ATen/core/Tensor.h>

namespace smoothlab::models {

/// Whether narrow_conv() takes a convolution of this input with these weights, stride 1 and padding 1: 3×3,
/// as many channels out as in, 16, 32 or 64 of them; bf16, channels last, on a CUDA device with tensor cores
/// that know bf16. Never where the program was built without CUDA.
bool narrow_conv_takes(const at::Tensor& input, const at::Tensor& weight);

/// at::conv2d(input, weight, {}, 1, 1) by kernels of our own where cuDNN's spend most of their time on
/// channels that are not there; the others are cuDNN's. Sums in float32, always in the same order.
at::Tensor narrow_conv(const at::Tensor& input, const at::Tensor& weight);

}  // namespace smoothlab::models
