#pragma once

#include <ATen/core/Tensor.h>

#include "models/conv2d.h"

namespace smoothlab::models {

/// Whether a convolution of these is one that trained_conv() is for: gradients are wanted, and
/// conv_weight_gradient() takes them.
bool trained_conv_takes(const at::Tensor& input, const at::Tensor& weight);

/// ATen's convolution, without a bias, whose backward pass leaves the gradient of the weight to
/// conv_weight_gradient().
at::Tensor trained_conv(const at::Tensor& input, const at::Tensor& weight, const Conv2dShape& shape);

}  // namespace smoothlab::models
