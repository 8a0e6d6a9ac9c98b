#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::models {

/// How a parameter starts. Each element is a pure function of (seed, parameter name, index of the element in
/// contiguous order), whatever the strides.
struct Initialiser {
  enum class Kind { constant, normal, truncated_normal, uniform };
  Kind kind = Kind::constant;
  /// constant: the value. normal, truncated_normal: standard deviation before truncation, which redraws what
  /// lies beyond two deviations (as TensorFlow). uniform: on [−value, value).
  double value = 0;

  static Initialiser constant(double value) { return {Kind::constant, value}; }
  static Initialiser normal(double deviation) { return {Kind::normal, deviation}; }
  static Initialiser truncated_normal(double deviation) { return {Kind::truncated_normal, deviation}; }
  static Initialiser uniform(double bound) { return {Kind::uniform, bound}; }
  /// He et al. 2015: N(0, 2/fan_in), for weights that feed a ReLU.
  static Initialiser he_normal(int64_t fan_in);
  /// LeCun et al. 1998: N(0, 1/fan_in).
  static Initialiser lecun_normal(int64_t fan_in);
  /// As TensorFlow's variance_scaling_initializer: a truncated normal that has this variance once truncated.
  static Initialiser truncated_of_variance(double variance);
};

/// A dense float32 tensor of this shape on the CPU; four-dimensional ones are channels-last where asked for.
at::Tensor initial_value(const Initialiser& initialiser, const std::vector<int64_t>& shape,
                         const std::string& name, uint64_t seed, bool channels_last);

}  // namespace smoothlab::models
