#pragma once

#include <string>

#include "models/batch_norm.h"
#include "models/conv2d.h"

namespace smoothlab::models {

/// Convolution without a bias, batch normalisation, ReLU: [B, in, H, W] to [B, out, H', W'] in the input's
/// dtype and format.
class ConvNorm {
 public:
  struct Statistics {
    double epsilon = 1e-5, momentum = 0.1;  ///< as BatchNorm takes them
  };

  /// Parameters are BLOCK.convN.weight and BLOCK.normN.{weight, bias, running_mean, running_var}, N from 1.
  ConvNorm(ParameterRegistry& registry, const std::string& block, size_t number, const Conv2dShape& shape,
           const Initialiser& weight, const Statistics& statistics);

  at::Tensor operator()(const at::Tensor& input, bool training) const {
    return after_conv(conv_(input), training);
  }
  /// The two halves of it.
  const Conv2d& conv() const { return conv_; }
  at::Tensor after_conv(const at::Tensor& convolved, bool training) const {
    return norm_.relu(convolved, training);
  }

 private:
  Conv2d conv_;
  BatchNorm norm_;
};

}  // namespace smoothlab::models
