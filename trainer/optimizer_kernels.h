#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/optimizer_segments.h"

namespace smoothlab::trainer {

/// The slices of the flat buffers that one update works on, and what all rules share. With g the gradient
/// times grad_scale plus l2·w, a rule computes a direction d and writes w ← shrink·w − lr·d, and its bf16
/// rounding where there is a working copy.
struct UpdateSlice {
  at::Tensor weights;     ///< float32 [n], written
  at::Tensor gradients;   ///< float32 [n]
  at::Tensor working;     ///< bf16 [n] or undefined, written
  at::Tensor grad_scale;  ///< float32 scalar or undefined: 1
  double lr = 0;
  double l2 = 0;      ///< weight decay as part of the gradient
  double shrink = 1;  ///< 1 − lr·weight_decay where it is decoupled
};

/// v ← momentum·v + share·g; d = v, or with nesterov g + momentum·v. buffer undefined: d = g.
struct MomentumRule {
  at::Tensor buffer;
  double momentum = 0, share = 1;
  bool nesterov = false;
};

/// Kingma & Ba 2015, as PyTorch writes it: m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g²,
/// d = m/correction1 / (√v/√correction2 + ε), correction_i = 1 − β_i^step.
struct AdamRule {
  at::Tensor first_moment, second_moment;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double correction1 = 1, correction2 = 1;
};

/// s ← decay·s + (1−decay)·g²; x = g/(√s + ε), or inside the root g/√(s + ε). With a buffer PyTorch's
/// b ← momentum·b + x, d = b, or where epsilon is inside TensorFlow's b ← momentum·b + lr·x, w ← w − b.
struct RmspropRule {
  at::Tensor mean_square;
  at::Tensor buffer;  ///< undefined without momentum
  double decay = 0.9, epsilon = 1e-8, momentum = 0;
  bool epsilon_inside = false;
};

/// One pass over memory on the CPU, vectorised and over threads; on other devices ATen's operators.
void update(const UpdateSlice& slice, const MomentumRule& rule);
void update(const UpdateSlice& slice, const AdamRule& rule);
void update(const UpdateSlice& slice, const RmspropRule& rule);

/// The same from ATen's operators, on any device.
void update_aten(const UpdateSlice& slice, const MomentumRule& rule);
void update_aten(const UpdateSlice& slice, const AdamRule& rule);
void update_aten(const UpdateSlice& slice, const RmspropRule& rule);

/// What changes from step to step.
struct StepFactors {
  double lr = 0;  ///< before the segments' scales
  double correction1 = 1, correction2 = 1;
};

class GpuUpdate;

/// An update of whole flat buffers, whose segments differ in learning rate and weight decay.
struct FlatUpdate {
  const at::Tensor& weights;
  const at::Tensor& gradients;
  const at::Tensor& working;     ///< bf16 or undefined
  const at::Tensor& grad_scale;  ///< float32 scalar or undefined: 1
  const StepFactors& factors;
  bool decoupled = false;
  const std::vector<Segment>& segments;
  GpuUpdate* gpu = nullptr;  ///< what takes it over in one launch; null: segment by segment
};

/// rule: of whole buffers.
void update(const FlatUpdate& all, const MomentumRule& rule);
void update(const FlatUpdate& all, const AdamRule& rule);
void update(const FlatUpdate& all, const RmspropRule& rule);

}  // namespace smoothlab::trainer
