#include "models/max_pool.h"

#include <ATen/ATen.h>

#include "models/gpu_windows.h"

namespace smoothlab::models {

at::Tensor max_pool_3x3_same(const at::Tensor& input) {
  if (gpu_windows_take(input)) return gpu_max_pool(input);
  // Even sizes need one pixel at the end, which ceil_mode gives; odd ones need one on either side.
  return at::max_pool2d(input, {3, 3}, {2, 2}, {input.size(2) % 2, input.size(3) % 2}, {1, 1}, true);
}

}  // namespace smoothlab::models
