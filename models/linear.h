#pragma once

#include <string>

#include "models/parameter_registry.h"

namespace smoothlab::models {

/// output = input · weightᵀ + bias: [B, in] to [B, out] in the input's dtype; weight [out, in].
class Linear {
 public:
  Linear(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out,
         const Initialiser& weight, double bias = 0);

  at::Tensor operator()(const at::Tensor& input) const;
  const at::Tensor& weight() const { return weight_->value; }
  const at::Tensor& bias() const { return bias_->value; }
  /// What the weight is computed with now.
  at::ScalarType type() const { return weight_->value.scalar_type(); }

 private:
  const Parameter* weight_;
  const Parameter* bias_;
};

/// The last layer of a network, float32 at every precision so that logits are not rounded.
class ClassifierLayer {
 public:
  ClassifierLayer(ParameterRegistry& registry, int64_t in, int64_t classes, const Initialiser& weight);

  /// features: [R, in], any dtype; they become the rows' penultimate activations.
  Rows operator()(const at::Tensor& features) const;
  Classifier templates() const { return {weight_->value, bias_->value}; }

 private:
  const Parameter* weight_;
  const Parameter* bias_;
};

}  // namespace smoothlab::models
