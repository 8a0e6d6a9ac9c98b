#include "models/linear.h"

#include <ATen/ATen.h>

namespace smoothlab::models {

Linear::Linear(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out,
               const Initialiser& weight, double bias)
    : weight_(registry.add_parameter(name + ".weight", {out, in}, Role::weight, weight)),
      bias_(registry.add_parameter(name + ".bias", {out}, Role::bias, Initialiser::constant(bias))) {}

at::Tensor Linear::operator()(const at::Tensor& input) const {
  const auto dtype = input.scalar_type();
  return at::linear(input, weight_->value.to(dtype), bias_->value.to(dtype));
}

ClassifierLayer::ClassifierLayer(ParameterRegistry& registry, int64_t in, int64_t classes,
                                 const Initialiser& weight)
    : weight_(registry.add_parameter("classifier.weight", {classes, in}, Role::weight, weight, true)),
      bias_(
          registry.add_parameter("classifier.bias", {classes}, Role::bias, Initialiser::constant(0), true)) {}

Rows ClassifierLayer::operator()(const at::Tensor& features) const {
  Rows rows;
  rows.penultimate = features.to(at::kFloat);
  rows.logits = at::linear(rows.penultimate, weight_->value, bias_->value);
  return rows;
}

}  // namespace smoothlab::models
