#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Targets of K classes without a target matrix: a row with label y has t_k = base_k + peak·[k = y]. Every
/// named convention is such a pair:
///   uniform     base α/K               peak 1−α              (the paper sec. 1, PyTorch, Marian)
///   off-target  base α/(K−1)           peak 1−α−α/(K−1)      (tensor2tensor, fairseq)
///   joeynmt     base α/(K−2), pad 0    peak 1−α−α/(K−2)      (JoeyNMT)
///   unigram     base α·frequency_k     peak 1−α
struct SoftTargets {
  double peak = 1;
  double base = 0;
  at::Tensor base_per_class;      ///< float32 [K] in place of base; undefined where all classes are alike
  double confidence_penalty = 0;  ///< β of Pereyra et al. 2017: adds −β·H(p)
};

/// class_counts: int64 [K], rows of each class in the training split; used by "unigram" and for K.
/// padding_class: the class that never is a target, for "joeynmt"; −1: there is none.
/// Throws UsageError where a convention does not fit the task (K too small, no padding class, no counts).
SoftTargets make_soft_targets(const TargetOptions& options, const at::Tensor& class_counts,
                              int64_t padding_class = -1);

/// Σ over rows of [−Σ_k t_k log p_k − β·H(p)], p = softmax(logits): a scalar. The caller divides by the
/// number of rows of the global batch and multiplies by its loss scale. logits: [R, K], R ≥ 0, float64, or
/// any other dtype, which becomes float32; labels: int64 [R] in [0, K). The gradient is closed, p − t +
/// β·p·(log p + H), and is computed in backward from the logits and two numbers a row. Throws DataError that
/// names the row where a label is out of range (CPU).
at::Tensor soft_target_loss(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets);

/// Throws DataError that names the row where a label is not in [0, classes); looks at labels on the CPU only.
void check_labels(const at::Tensor& labels, int64_t classes);

/// DisturbLabel (Xie et al. 2016, eq. 1): each label is replaced with this probability by a class drawn
/// uniformly from all of them. Draws are addressed by (seed, step, sample, position), Purpose::label_noise.
/// labels, sample_ids: int64 [R]; positions: int32 [R] or undefined; all on the CPU. Returns int64 [R].
at::Tensor disturb_labels(const at::Tensor& labels, const at::Tensor& sample_ids, const at::Tensor& positions,
                          int64_t classes, double probability, uint64_t seed, int64_t step);

}  // namespace smoothlab::trainer
