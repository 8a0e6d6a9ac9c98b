#pragma once

#include <string>

#include "models/parameter_registry.h"

namespace smoothlab::models {

struct Conv2dShape {
  int64_t in = 0, out = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 0;  ///< on every side
  int64_t fan_in() const { return in * kernel * kernel; }
};

/// Two-dimensional convolution of [B, in, H, W], in the input's dtype; weight [out, in, kernel, kernel].
class Conv2d {
 public:
  Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
         const Initialiser& weight);
  /// With a bias that starts at this value.
  Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
         const Initialiser& weight, double bias);

  at::Tensor operator()(const at::Tensor& input) const;

 private:
  Conv2dShape shape_;
  const Parameter* weight_;
  const Parameter* bias_ = nullptr;
};

}  // namespace smoothlab::models
