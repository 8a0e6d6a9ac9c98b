#pragma once

#include <ATen/core/Tensor.h>

#include "models/conv2d.h"

namespace smoothlab::models {

/// Whether conv_weight_gradient() is there for this processor and such an input and number of output
/// channels: bf16, channels-last, on the CPU, numbers of channels that are multiples of 32, at least 96 put
/// out. Others go through ATen.
bool conv_weight_gradient_takes(const at::Tensor& input, int64_t out);

/// Σ over samples and pixels of output_gradient · input: the gradient of a convolution's weight, bf16
/// [out, in, height, width], channels-last. input: [B, in, H, W]; output_gradient: the same,
/// [B, out, H', W']. Sums are
/// float32, and do not depend on the number of threads.
at::Tensor conv_weight_gradient(const at::Tensor& input, const at::Tensor& output_gradient,
                                const Conv2dShape& shape);

}  // namespace smoothlab::models
