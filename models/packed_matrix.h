#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace smoothlab::models {

/// A weight matrix laid out for products of a few rows, float32 on the CPU.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// weight: [out, in]; bias: [out] or undefined.
  PackedMatrix(const at::Tensor& weight, const at::Tensor& bias);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  /// results = rows · weightᵀ + bias, for rows [m, in], dense; results [m, out], dense. A row's results do
  /// not depend on the others, bitwise, nor on the number of threads.
  void multiply(const float* rows, int64_t m, float* results) const;

 private:
  int64_t in_ = 0, out_ = 0;
  std::vector<float> panels_;  ///< [panels][in][kPanel], zeros beyond `out`
  std::vector<float> bias_;    ///< [panels · kPanel]
};

}  // namespace smoothlab::models
