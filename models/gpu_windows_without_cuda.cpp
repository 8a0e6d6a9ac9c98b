#include <ATen/ATen.h>

#include "models/gpu_windows.h"

namespace smoothlab::models {

bool gpu_windows_take(const at::Tensor& /*input*/) {
  return false;
}

bool gpu_response_norm_takes(const at::Tensor& /*input*/, const LocalResponseNorm& /*norm*/) {
  return false;
}

at::Tensor gpu_response_norm(const at::Tensor& /*input*/, const LocalResponseNorm& /*norm*/) {
  return {};
}

at::Tensor gpu_max_pool(const at::Tensor& /*input*/) {
  return {};
}

}  // namespace smoothlab::models
