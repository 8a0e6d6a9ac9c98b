#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/network.h"

namespace smoothlab::test {

/// Numbers on [−scale, scale) that any language can make: an integer hash of the element and a phase.
inline at::Tensor hashed_values(const std::vector<int64_t>& shape, uint64_t phase, double scale) {
  at::Tensor values = at::empty(shape, at::kDouble);
  double* out = values.data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    auto hash = static_cast<uint32_t>(static_cast<uint64_t>(i) * 2654435761U + 97531U * phase);
    hash ^= hash >> 15;
    hash *= 2246822519U;
    hash ^= hash >> 13;
    out[i] = scale * (static_cast<double>(hash) / 2147483648.0 - 1);
  }
  return values.to(at::kFloat);
}

/// Fills every parameter with hashed values: the k-th, counted from 1, with phase k; weights on ±√(6/fan_in),
/// the others on ±0.3, norm scales around 1.
inline void fill_hashed(models::Network& network) {
  uint64_t phase = 0;
  for (models::Parameter& parameter : network.parameters()) {
    ++phase;
    const auto shape = parameter.value.sizes().vec();
    const bool weight = parameter.role == models::Role::weight;
    const auto fan_in = static_cast<double>(parameter.value.numel() / shape[0]);
    at::Tensor values = hashed_values(shape, phase, weight ? std::sqrt(6 / fan_in) : 0.3);
    if (parameter.role == models::Role::norm_scale) values += 1;
    parameter.value.detach().copy_(values);
  }
}

inline models::Parameter& parameter_named(models::Network& network, const std::string& name) {
  for (models::Parameter& parameter : network.parameters()) {
    if (parameter.name == name) return parameter;
  }
  throw std::out_of_range(name);
}

/// What a reference printed of a parameter's gradient.
struct GradientFigures {
  const char* parameter;
  double norm, projection;  ///< projection: on hashed values of phase 300
};

inline void expect_gradients(models::Network& network, const std::vector<GradientFigures>& expected) {
  for (const GradientFigures& figures : expected) {
    const at::Tensor gradient = parameter_named(network, figures.parameter).value.grad().to(at::kDouble);
    EXPECT_NEAR(gradient.norm().item<double>(), figures.norm, 1e-4 * figures.norm) << figures.parameter;
    const at::Tensor direction = hashed_values(gradient.sizes().vec(), 300, 1).to(at::kDouble);
    EXPECT_NEAR((gradient * direction).sum().item<double>(), figures.projection, 1e-4 * figures.norm)
        << figures.parameter;
  }
}

/// Makes a network compute in float64 what it is given in float64, but for its classifier. Where many
/// normalisations follow each other, what float32 rounds grows too large on the way back to tell anything.
inline void to_double(models::Network& network) {
  for (models::Parameter& parameter : network.parameters())
    if (parameter.name.rfind("classifier.", 0) != 0)
      parameter.value = parameter.value.detach().to(at::kDouble).set_requires_grad(true);
  for (models::Buffer& buffer : network.buffers()) buffer.value = buffer.value.to(at::kDouble);
}

/// |a − b| / max(|b|, tiny), in double.
inline double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.detach().to(at::kDouble), y = b.detach().to(at::kDouble);
  return (x - y).norm().item<double>() / std::max(y.norm().item<double>(), 1e-300);
}

/// "8x16x32x32", as the name of a parametrised test.
inline std::string shape_name(const std::vector<int64_t>& shape) {
  std::string name;
  for (const int64_t size : shape) name += (name.empty() ? "" : "x") + std::to_string(size);
  return name;
}

}  // namespace smoothlab::test
