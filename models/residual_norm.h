#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "models/parameter_registry.h"
#include "models/row_dropout.h"

namespace smoothlab::models {

/// Where a residual stream takes in a branch and is normalised (Ba et al. 2016), in one pass over memory on
/// the CPU: sum = stream + dropout(branch), normalised = (sum − mean)/√(variance + epsilon) · weight + bias.
/// The stream stays float32 at every precision.
class ResidualNorm {
 public:
  /// Parameters name.weight and name.bias, float32 [width].
  ResidualNorm(ParameterRegistry& registry, const std::string& name, int64_t width, double epsilon);

  struct Result {
    at::Tensor sum;         ///< float32 [N, width]
    at::Tensor normalised;  ///< [N, width] of `type`
  };
  /// stream: float32 [N, width]; branch: [N, width] of any dtype, or undefined for none.
  Result operator()(const at::Tensor& stream, const at::Tensor& branch, const RowDropout& dropout,
                    at::ScalarType type) const;

  double epsilon() const { return epsilon_; }
  const at::Tensor& weight() const { return weight_->value; }
  const at::Tensor& bias() const { return bias_->value; }

 private:
  const Parameter* weight_;
  const Parameter* bias_;
  double epsilon_;
};

}  // namespace smoothlab::models
