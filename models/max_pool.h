#pragma once

#include <ATen/core/Tensor.h>

namespace smoothlab::models {

/// Maximum over 3×3 windows at stride 2 with TensorFlow's SAME padding, which puts an odd pixel of padding at
/// the end: [B, C, H, W] to [B, C, ⌈H/2⌉, ⌈W/2⌉].
at::Tensor max_pool_3x3_same(const at::Tensor& input);

}  // namespace smoothlab::models
