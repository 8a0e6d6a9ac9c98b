#include "models/conv2d.h"

#include <ATen/ATen.h>

#include "models/narrow_conv.h"

namespace smoothlab::models {

Conv2d::Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
               const Initialiser& weight)
    : shape_(shape),
      weight_(registry.add_parameter(name + ".weight", {shape.out, shape.in, shape.kernel, shape.kernel},
                                     Role::weight, weight)) {}

Conv2d::Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
               const Initialiser& weight, double bias)
    : Conv2d(registry, name, shape, weight) {
  bias_ = registry.add_parameter(name + ".bias", {shape.out}, Role::bias, Initialiser::constant(bias));
}

at::Tensor Conv2d::operator()(const at::Tensor& input) const {
  // The cast is a no-op where the trainer has put a working copy in place.
  const auto dtype = input.scalar_type();
  const at::Tensor weight = weight_->value.to(dtype);
  if (!bias_ && shape_.stride == 1 && shape_.padding == 1 && narrow_conv_takes(input, weight))
    return narrow_conv(input, weight);
  return at::conv2d(input, weight, bias_ ? bias_->value.to(dtype) : at::Tensor(), shape_.stride,
                    shape_.padding);
}

}  // namespace smoothlab::models
