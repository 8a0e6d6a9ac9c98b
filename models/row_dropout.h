#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "models/network.h"

namespace smoothlab::models {

/// Whose token each row of a packed batch is, and which of its sentence: with these a dropout mask is
/// addressed.
struct RowAddresses {
  std::vector<int64_t> samples;
  std::vector<int32_t> positions;
};

/// What one place of a network drops of packed rows: each unit with a probability, the others are scaled up
/// (Srivastava et al. 2014). A function of (seed, step, sample, place, position, unit); neither the batch
/// nor the rank matters. Probabilities are rounded to 16 bits.
class RowDropout {
 public:
  /// Nothing is dropped.
  RowDropout() = default;
  /// place: 0 to 255, one for each use in a network. Nothing is dropped when not training.
  RowDropout(double probability, uint32_t place, const ForwardContext& context,
             std::shared_ptr<const RowAddresses> rows);

  bool active() const { return threshold_ > 0; }
  /// What a unit that stays is multiplied by.
  float scale() const { return scale_; }
  /// Factors of a row's units, 0 or scale(): [units]; row ≥ 0. Throws RunError for a position beyond 2^24
  /// random blocks.
  void mask(int64_t row, int64_t units, float* factors) const;
  /// The same of a line of `count` numbers of the sample that a row belongs to: of attention, for one.
  void line_mask(int64_t row, int64_t line, int64_t count, float* factors) const;
  /// Of all rows, for devices without kernels of their own: [rows, units] float32 on the CPU.
  at::Tensor mask(int64_t rows, int64_t units) const;

 private:
  uint32_t threshold_ = 0;
  float scale_ = 1;
  uint32_t place_ = 0;
  uint64_t seed_ = 0;
  int64_t step_ = 0;
  std::shared_ptr<const RowAddresses> rows_;
};

/// input · factors, as float32 products: what dropout scales by has no bf16. factors: float32 on the CPU, of
/// the input's shape.
at::Tensor times_factors(const at::Tensor& input, const at::Tensor& factors);
/// input · mask, for rows [N, units] of any floating-point dtype.
at::Tensor drop_rows(const at::Tensor& input, const RowDropout& dropout);
/// relu(input) · mask.
at::Tensor relu_and_drop_rows(const at::Tensor& input, const RowDropout& dropout);

}  // namespace smoothlab::models
