#pragma once

#include <ATen/core/Tensor.h>

namespace smoothlab::trainer {

/// L2 norm of a flat float32 buffer: float32 scalar on its device, without waiting for the device. On the CPU
/// blocks of fixed size are summed in double and in order, so the thread count does not matter.
at::Tensor global_norm(const at::Tensor& flat);

/// min(1, clip_norm/norm) as a scalar on norm's device. The norm is that of the gradient of the scaled loss,
/// summed over ranks: with loss_scale 3 the paper (A.2) clips three times the gradient of the cross-entropy.
at::Tensor clip_factor(const at::Tensor& norm, double clip_norm);

}  // namespace smoothlab::trainer
