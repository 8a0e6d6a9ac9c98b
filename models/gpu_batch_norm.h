#pragma once

#include "models/fused_batch_norm.h"

namespace smoothlab::models {

/// Whether gpu_batch_norm() takes this input: float32 or bf16 on a CUDA device, channels last, 16 bytes of
/// channels or a multiple of it. Never where the program was built without CUDA.
bool gpu_batch_norm_takes(const at::Tensor& input);

/// fused_batch_norm() in two passes over memory forward and two backward. residual: undefined or of the
/// input's shape. Without training it has no derivative. The same input gives the same bits each time.
at::Tensor gpu_batch_norm(const at::Tensor& input, const at::Tensor& residual,
                          const BatchNormArguments& arguments);

}  // namespace smoothlab::models
