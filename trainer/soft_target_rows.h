#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/soft_targets.h"

namespace smoothlab::trainer {

/// What the loss of every row needs from its logits.
struct RowPass {
  at::Tensor loss;        ///< scalar of the logits' dtype: the sum over rows
  at::Tensor statistics;  ///< [R, 3]: maximum, log Σ exp(z − maximum), entropy H(p) (0 where β = 0)
};

/// Fused kernels, one or two reads of the logits; CPU, float32 or float64, contiguous.
RowPass forward_rows(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets);
/// grad_scale · d loss / d logits, [R, K]. type: what float32 logits' gradients are rounded to, float32 or
/// bf16.
at::Tensor backward_rows(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& statistics,
                         const SoftTargets& targets, double grad_scale, at::ScalarType type = at::kFloat);
/// Rows whose first greatest logit is their label's, from forward_rows()' statistics.
int64_t count_hits(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& statistics);

/// The same from ATen's operators, for any device; grad_scale is a scalar tensor on it.
RowPass forward_rows_aten(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets);
at::Tensor backward_rows_aten(const at::Tensor& logits, const at::Tensor& labels,
                              const at::Tensor& statistics, const SoftTargets& targets,
                              const at::Tensor& grad_scale);

}  // namespace smoothlab::trainer
