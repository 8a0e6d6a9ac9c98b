#include "trainer/optimizer_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstring>

#include "cluster/vector_clones.h"

#define SMOOTHLAB_INLINE __attribute__((always_inline)) inline

namespace smoothlab::trainer {
namespace {

/// The slice as raw memory, scalars in float.
struct Range {
  float* __restrict__ weights;
  const float* __restrict__ gradients;
  uint16_t* __restrict__ working;  ///< bf16 bits, or nullptr
  float grad_scale, lr, l2, shrink;
};

struct Momentum {
  float* __restrict__ buffer;
  float momentum, share;
};
struct Adam {
  float* __restrict__ first;
  float* __restrict__ second;
  float beta1, beta2, epsilon, inverse_correction1, inverse_root_correction2;
};
struct Rmsprop {
  float* __restrict__ mean_square;
  float* __restrict__ buffer;
  float decay, epsilon, momentum, buffer_share, buffer_lr;
};

/// Round to nearest even, NaN stays NaN.
SMOOTHLAB_INLINE uint16_t to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

/// The one loop: `step(i, g)` gives what is subtracted from the weight.
template <bool low_precision, typename Step>
SMOOTHLAB_INLINE void sweep(const Range& range, int64_t begin, int64_t end, Step step) {
  float* __restrict__ weights = range.weights;
  const float* __restrict__ gradients = range.gradients;
  uint16_t* __restrict__ working = range.working;
  const float grad_scale = range.grad_scale, l2 = range.l2, shrink = range.shrink;
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    const float g = gradients[i] * grad_scale + weights[i] * l2;
    const float w = weights[i] * shrink - step(i, g);
    weights[i] = w;
    if (low_precision) working[i] = to_bf16(w);
  }
}

template <typename Step>
SMOOTHLAB_INLINE void sweep_either(const Range& range, int64_t begin, int64_t end, Step step) {
  if (range.working != nullptr)
    sweep<true>(range, begin, end, step);
  else
    sweep<false>(range, begin, end, step);
}

SMOOTHLAB_VECTOR_CLONES
void plain_kernel(const Range& range, int64_t begin, int64_t end) {
  const float lr = range.lr;
  sweep_either(range, begin, end, [=](int64_t, float g) { return lr * g; });
}

SMOOTHLAB_VECTOR_CLONES
void momentum_kernel(const Range& range, const Momentum& rule, int64_t begin, int64_t end) {
  float* __restrict__ buffer = rule.buffer;
  const float momentum = rule.momentum, share = rule.share, lr = range.lr;
  sweep_either(range, begin, end, [=](int64_t i, float g) {
    const float v = momentum * buffer[i] + share * g;
    buffer[i] = v;
    return lr * v;
  });
}

SMOOTHLAB_VECTOR_CLONES
void nesterov_kernel(const Range& range, const Momentum& rule, int64_t begin, int64_t end) {
  float* __restrict__ buffer = rule.buffer;
  const float momentum = rule.momentum, share = rule.share, lr = range.lr;
  sweep_either(range, begin, end, [=](int64_t i, float g) {
    const float v = momentum * buffer[i] + share * g;
    buffer[i] = v;
    return lr * (g + momentum * v);
  });
}

SMOOTHLAB_VECTOR_CLONES
void adam_kernel(const Range& range, const Adam& rule, int64_t begin, int64_t end) {
  float* __restrict__ first = rule.first;
  float* __restrict__ second = rule.second;
  const float beta1 = rule.beta1, beta2 = rule.beta2, epsilon = rule.epsilon;
  const float rate = range.lr * rule.inverse_correction1, root = rule.inverse_root_correction2;
  sweep_either(range, begin, end, [=](int64_t i, float g) {
    const float m = beta1 * first[i] + (1.0f - beta1) * g;
    const float v = beta2 * second[i] + (1.0f - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    return rate * m / (std::sqrt(v) * root + epsilon);
  });
}

template <bool inside, bool with_momentum>
SMOOTHLAB_INLINE void rmsprop_sweep(const Range& range, const Rmsprop& rule, int64_t begin, int64_t end) {
  float* __restrict__ mean_square = rule.mean_square;
  float* __restrict__ buffer = rule.buffer;
  const float decay = rule.decay, epsilon = rule.epsilon, momentum = rule.momentum, lr = range.lr;
  const float buffer_share = rule.buffer_share, buffer_lr = rule.buffer_lr;
  sweep_either(range, begin, end, [=](int64_t i, float g) {
    const float s = decay * mean_square[i] + (1.0f - decay) * g * g;
    mean_square[i] = s;
    const float x = g / (inside ? std::sqrt(s + epsilon) : std::sqrt(s) + epsilon);
    if (!with_momentum) return lr * x;
    const float b = momentum * buffer[i] + buffer_share * x;
    buffer[i] = b;
    return buffer_lr * b;
  });
}

SMOOTHLAB_VECTOR_CLONES
void rmsprop_kernel(const Range& range, const Rmsprop& rule, bool inside, int64_t begin, int64_t end) {
  if (inside && rule.buffer != nullptr)
    rmsprop_sweep<true, true>(range, rule, begin, end);
  else if (inside)
    rmsprop_sweep<true, false>(range, rule, begin, end);
  else if (rule.buffer != nullptr)
    rmsprop_sweep<false, true>(range, rule, begin, end);
  else
    rmsprop_sweep<false, false>(range, rule, begin, end);
}

Range range_of(const UpdateSlice& slice) {
  const bool low = slice.working.defined();
  return {slice.weights.data_ptr<float>(),
          slice.gradients.data_ptr<float>(),
          low ? reinterpret_cast<uint16_t*>(slice.working.data_ptr()) : nullptr,
          slice.grad_scale.defined() ? *slice.grad_scale.data_ptr<float>() : 1.0f,
          static_cast<float>(slice.lr),
          static_cast<float>(slice.l2),
          static_cast<float>(slice.shrink)};
}

float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

template <typename Kernel>
void over_threads(const UpdateSlice& slice, const Kernel& kernel) {
  at::parallel_for(0, slice.weights.numel(), 32768, kernel);
}

}  // namespace

void update(const UpdateSlice& slice, const MomentumRule& rule) {
  if (!slice.weights.is_cpu()) return update_aten(slice, rule);
  const Range range = range_of(slice);
  const Momentum momentum{data_or_null(rule.buffer), static_cast<float>(rule.momentum),
                          static_cast<float>(rule.share)};
  over_threads(slice, [&](int64_t begin, int64_t end) {
    if (momentum.buffer == nullptr)
      plain_kernel(range, begin, end);
    else if (rule.nesterov)
      nesterov_kernel(range, momentum, begin, end);
    else
      momentum_kernel(range, momentum, begin, end);
  });
}

void update(const UpdateSlice& slice, const AdamRule& rule) {
  if (!slice.weights.is_cpu()) return update_aten(slice, rule);
  const Range range = range_of(slice);
  const Adam adam{rule.first_moment.data_ptr<float>(),
                  rule.second_moment.data_ptr<float>(),
                  static_cast<float>(rule.beta1),
                  static_cast<float>(rule.beta2),
                  static_cast<float>(rule.epsilon),
                  static_cast<float>(1 / rule.correction1),
                  static_cast<float>(1 / std::sqrt(rule.correction2))};
  over_threads(slice, [&](int64_t begin, int64_t end) { adam_kernel(range, adam, begin, end); });
}

void update(const UpdateSlice& slice, const RmspropRule& rule) {
  if (!slice.weights.is_cpu()) return update_aten(slice, rule);
  const Range range = range_of(slice);
  const float lr = static_cast<float>(slice.lr);
  const Rmsprop rmsprop{rule.mean_square.data_ptr<float>(), data_or_null(rule.buffer),
                        static_cast<float>(rule.decay),     static_cast<float>(rule.epsilon),
                        static_cast<float>(rule.momentum),  rule.epsilon_inside ? lr : 1.0f,
                        rule.epsilon_inside ? 1.0f : lr};
  over_threads(slice, [&](int64_t begin, int64_t end) {
    rmsprop_kernel(range, rmsprop, rule.epsilon_inside, begin, end);
  });
}

}  // namespace smoothlab::trainer
