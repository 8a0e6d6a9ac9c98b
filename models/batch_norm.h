#pragma once

#include <string>

#include "models/parameter_registry.h"

namespace smoothlab::models {

/// Batch normalisation of [B, C, H, W] over B, H, W (Ioffe & Szegedy 2015), with what usually follows it:
/// output = relu(normalised · weight + bias + residual). Statistics and parameters are float32 whatever the
/// activations are. Running averages move by `momentum` towards each batch (mean, unbiased variance).
class BatchNorm {
 public:
  BatchNorm(ParameterRegistry& registry, const std::string& name, int64_t channels, double epsilon = 1e-5,
            double momentum = 0.1);

  at::Tensor operator()(const at::Tensor& input, bool training) const {
    return apply(input, {}, false, training);
  }
  at::Tensor relu(const at::Tensor& input, bool training) const { return apply(input, {}, true, training); }
  /// residual: of the input's shape.
  at::Tensor add(const at::Tensor& input, const at::Tensor& residual, bool training) const {
    return apply(input, residual, false, training);
  }
  at::Tensor add_relu(const at::Tensor& input, const at::Tensor& residual, bool training) const {
    return apply(input, residual, true, training);
  }

 private:
  at::Tensor apply(const at::Tensor& input, const at::Tensor& residual, bool relu, bool training) const;

  double epsilon_, momentum_;
  const Parameter* weight_;
  const Parameter* bias_;
  Buffer* running_mean_;
  Buffer* running_var_;
};

}  // namespace smoothlab::models
