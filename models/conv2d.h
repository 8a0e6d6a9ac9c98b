#pragma once

#include <string>
#include <vector>

#include "models/parameter_registry.h"

namespace smoothlab::models {

/// Pixels down and across; one number for both.
struct Extent {
  int64_t height = 0, width = 0;
  constexpr Extent(int64_t both) : height(both), width(both) {}
  constexpr Extent(int64_t down, int64_t across) : height(down), width(across) {}
};

struct Conv2dShape {
  int64_t in = 0, out = 0;
  Extent kernel = 3;
  int64_t stride = 1;
  Extent padding = 0;  ///< on either side
  int64_t fan_in() const { return in * kernel.height * kernel.width; }
};

/// Two-dimensional convolution of [B, in, H, W], in the input's dtype; weight [out, in, height, width].
class Conv2d {
 public:
  Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
         const Initialiser& weight);
  /// With a bias that starts at this value.
  Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
         const Initialiser& weight, double bias);

  at::Tensor operator()(const at::Tensor& input) const;

  /// Outputs of several convolutions of the same input, each of 1×1 at stride 1 without a bias, computed as
  /// one: slices of its channels.
  static std::vector<at::Tensor> side_by_side(const std::vector<const Conv2d*>& convs,
                                              const at::Tensor& input);
  /// Whether side_by_side() takes it.
  bool pointwise() const;

 private:
  Conv2dShape shape_;
  const Parameter* weight_;
  const Parameter* bias_ = nullptr;
};

}  // namespace smoothlab::models
