#include <ATen/ATen.h>

#include "trainer/gpu_update.h"
#include "trainer/optimizer_kernels.h"

namespace smoothlab::trainer {
namespace {

at::Tensor part(const at::Tensor& flat, const Segment& segment) {
  return flat.defined() ? flat.narrow(0, segment.begin, segment.end - segment.begin) : flat;
}

MomentumRule part(MomentumRule rule, const Segment& segment) {
  rule.buffer = part(rule.buffer, segment);
  return rule;
}

AdamRule part(AdamRule rule, const Segment& segment) {
  rule.first_moment = part(rule.first_moment, segment);
  rule.second_moment = part(rule.second_moment, segment);
  return rule;
}

RmspropRule part(RmspropRule rule, const Segment& segment) {
  rule.mean_square = part(rule.mean_square, segment);
  rule.buffer = part(rule.buffer, segment);
  return rule;
}

template <typename Rule>
void update_flat(const FlatUpdate& all, const Rule& rule) {
  if (all.gpu) return all.gpu->apply(all, rule);
  for (const Segment& segment : all.segments) {
    UpdateSlice slice;
    slice.weights = part(all.weights, segment);
    slice.gradients = part(all.gradients, segment);
    slice.working = part(all.working, segment);
    slice.grad_scale = all.grad_scale;
    slice.lr = all.factors.lr * segment.lr_scale;
    if (all.decoupled)
      slice.shrink = 1 - slice.lr * segment.weight_decay;
    else
      slice.l2 = segment.weight_decay;
    update(slice, part(rule, segment));
  }
}

}  // namespace

void update(const FlatUpdate& all, const MomentumRule& rule) {
  update_flat(all, rule);
}
void update(const FlatUpdate& all, const AdamRule& rule) {
  update_flat(all, rule);
}
void update(const FlatUpdate& all, const RmspropRule& rule) {
  update_flat(all, rule);
}

}  // namespace smoothlab::trainer
