#pragma once

#include "models/network.h"

namespace smoothlab::models {

/// Throws UsageError, at the key, for what is no probability of dropping a unit: outside [0, 1).
void check_dropout(double probability, const char* key);

/// Drops units of [B, units] with a probability and scales the others up (Srivastava et al. 2014). Whether a
/// unit is dropped is a function of (seed, step, sample, place, unit): neither the composition of the batch
/// nor the rank matters.
class Dropout {
 public:
  /// probability: in [0, 1). first_draw: where this place's random blocks begin; each takes blocks(units).
  Dropout(double probability, uint32_t first_draw) : probability_(probability), first_draw_(first_draw) {}

  /// Random blocks that a place with so many units uses.
  static uint32_t blocks(int64_t units) { return static_cast<uint32_t>((units + 3) / 4); }

  /// The input itself when not training. Throws RunError where samples have no ids.
  at::Tensor operator()(const at::Tensor& input, const ForwardContext& context) const;

 private:
  double probability_;
  uint32_t first_draw_;
};

}  // namespace smoothlab::models
