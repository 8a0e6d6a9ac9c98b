#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/soft_targets.h"

namespace smoothlab::trainer {

/// soft_target_loss() of logits that are never all there: features · weightᵀ is made, judged and turned into
/// gradients some rows at a time, so that a vocabulary of K classes costs K · (rows of a chunk) numbers in
/// place of K · R.
struct ClassifierLoss {
  at::Tensor loss;  ///< scalar float32, summed over rows
  at::Tensor hits;  ///< scalar int64: rows whose greatest logit is their label's
};

/// features: [R, L] float32 or bf16, whose precision products have; weight: float32 [K, L] (or both float64);
/// labels: int64 [R] in [0, K). Both features and weight get gradients. chunk: rows at a time, ≥ 1. Throws
/// DataError that names the row where a label is out of range (CPU).
ClassifierLoss classifier_loss(const at::Tensor& features, const at::Tensor& weight, const at::Tensor& labels,
                               const SoftTargets& targets, int64_t chunk = 256);

}  // namespace smoothlab::trainer
