#include "models/parameter_registry.h"

#include <ATen/ATen.h>

namespace smoothlab::models {

Parameter* ParameterRegistry::add_parameter(const std::string& name, const std::vector<int64_t>& shape,
                                            Role role, const Initialiser& initialiser, bool keep_float32) {
  at::Tensor value = initial_value(initialiser, shape, name, seed_, channels_last_);
  value.set_requires_grad(true);
  network_.parameters().push_back({name, role, keep_float32, std::move(value)});
  return &network_.parameters().back();
}

Buffer* ParameterRegistry::add_buffer(const std::string& name, int64_t size, double value) {
  network_.buffers().push_back({name, at::full({size}, value, at::kFloat)});
  return &network_.buffers().back();
}

}  // namespace smoothlab::models
