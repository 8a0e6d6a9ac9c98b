#pragma once

#include <ATen/core/Tensor.h>

namespace smoothlab::models {

/// relu((x − mean) / √(var + epsilon) · weight + bias + residual) as one operation.
struct BatchNormArguments {
  at::Tensor weight, bias;               ///< float32 [C]
  at::Tensor running_mean, running_var;  ///< float32 [C]; moved by `momentum` when training
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< weight of the batch against the past
  bool training = false;  ///< statistics of the batch, else the running ones
  bool relu = false;
};

/// input: [B, C, H, W]; residual: undefined or of the input's shape and dtype. Float32 and bf16 channels-last
/// tensors (on a GPU of whole 16 bytes of channels) take two passes over memory forward and two backward,
/// with float32 statistics; the results do not depend on the number of threads. Everything else goes through
/// ATen's operations.
at::Tensor fused_batch_norm(const at::Tensor& input, const at::Tensor& residual,
                            const BatchNormArguments& arguments);

}  // namespace smoothlab::models
