#include <ATen/ATen.h>

#include "models/gpu_batch_norm.h"

namespace smoothlab::models {

bool gpu_batch_norm_takes(const at::Tensor& /*input*/) {
  return false;
}

at::Tensor gpu_batch_norm(const at::Tensor& /*input*/, const at::Tensor& /*residual*/,
                          const BatchNormArguments& /*arguments*/) {
  return {};
}

}  // namespace smoothlab::models
