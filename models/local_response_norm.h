#pragma once

#include <ATen/core/Tensor.h>

namespace smoothlab::models {

/// Local response normalisation across channels (Krizhevsky et al. 2012) in TensorFlow's terms:
/// output_c = input_c / (bias + alpha · Σ_{|k−c| ≤ depth_radius} input_k²)^beta. PyTorch's alpha is divided
/// by the size of the window; this one is not.
struct LocalResponseNorm {
  int64_t depth_radius = 5;
  double bias = 1;
  double alpha = 1;
  double beta = 0.5;

  /// [B, C, H, W], any layout; computed in float32, returned in the input's dtype and layout.
  at::Tensor operator()(const at::Tensor& input) const;
};

}  // namespace smoothlab::models
