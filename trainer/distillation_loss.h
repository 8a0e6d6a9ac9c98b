#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace smoothlab::trainer {

/// How a student is held against its teacher. z: the student's logits, v: the teacher's, H(a, b): −Σ_k a_k
/// log b_k.
enum class DistillationKind {
  paper,  ///< H(softmax(v/T), softmax(z)): the student at temperature 1, no T² (paper sec. 4)
  hinton,  ///< T²·H(softmax(v/T), softmax(z/T)) (Hinton et al. 2015). Others report T²·KL, which is less by
           ///< T²·H(softmax(v/T)) and has the same gradient
  logit_mse  ///< ½ (1/K) Σ_k (z_k − v_k)² (appendix A.5); knows no temperature. The paper does not say
             ///< whether it sums over classes or takes the mean; with the sum its learning rate of 1 diverges
};

/// "paper", "hinton", "logit-mse". Throws UsageError.
DistillationKind distillation_kind(const std::string& name);

/// Sum over rows: a scalar of the logits' dtype, which has a gradient for `logits` alone. As for
/// soft_target_loss, the caller divides by the rows of the global batch. logits: [R, K], R ≥ 0, float64, or
/// any other dtype, which becomes float32; teacher: [R, K], float, on the same device. temperature > 0. The
/// gradient is closed: softmax(z) − softmax(v/T), T·(softmax(z/T) − softmax(v/T)), (z − v)/K.
at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& teacher, DistillationKind kind,
                             double temperature);

}  // namespace smoothlab::trainer
