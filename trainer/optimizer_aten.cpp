#include <ATen/ATen.h>

#include <cmath>

#include "trainer/optimizer_kernels.h"

namespace smoothlab::trainer {
namespace {

at::Tensor scaled_gradient(const UpdateSlice& slice) {
  at::Tensor g = slice.grad_scale.defined() ? slice.gradients * slice.grad_scale : slice.gradients;
  return slice.l2 == 0 ? g : g.add(slice.weights, slice.l2);
}

void apply(const UpdateSlice& slice, const at::Tensor& direction, double lr) {
  if (slice.shrink != 1) slice.weights.mul_(slice.shrink);
  slice.weights.sub_(direction, lr);
  if (slice.working.defined()) slice.working.copy_(slice.weights);
}

}  // namespace

void update_aten(const UpdateSlice& slice, const MomentumRule& rule) {
  const at::Tensor g = scaled_gradient(slice);
  if (!rule.buffer.defined()) return apply(slice, g, slice.lr);
  rule.buffer.mul_(rule.momentum).add_(g, rule.share);
  apply(slice, rule.nesterov ? g.add(rule.buffer, rule.momentum) : rule.buffer, slice.lr);
}

void update_aten(const UpdateSlice& slice, const AdamRule& rule) {
  const at::Tensor g = scaled_gradient(slice);
  rule.first_moment.mul_(rule.beta1).add_(g, 1 - rule.beta1);
  rule.second_moment.mul_(rule.beta2).addcmul_(g, g, 1 - rule.beta2);
  const at::Tensor root = rule.second_moment.sqrt().mul_(1 / std::sqrt(rule.correction2)).add_(rule.epsilon);
  apply(slice, rule.first_moment / root, slice.lr / rule.correction1);
}

void update_aten(const UpdateSlice& slice, const RmspropRule& rule) {
  const at::Tensor g = scaled_gradient(slice);
  rule.mean_square.mul_(rule.decay).addcmul_(g, g, 1 - rule.decay);
  const at::Tensor root = rule.epsilon_inside ? rule.mean_square.add(rule.epsilon).sqrt_()
                                              : rule.mean_square.sqrt().add_(rule.epsilon);
  const at::Tensor x = g / root;
  if (!rule.buffer.defined()) return apply(slice, x, slice.lr);
  rule.buffer.mul_(rule.momentum).add_(x, rule.epsilon_inside ? slice.lr : 1.0);
  apply(slice, rule.buffer, rule.epsilon_inside ? 1.0 : slice.lr);
}

}  // namespace smoothlab::trainer
