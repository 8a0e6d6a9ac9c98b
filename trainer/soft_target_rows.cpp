#include "trainer/soft_target_rows.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "cluster/vector_clones.h"
#include "models/bfloat16.h"

namespace smoothlab::trainer {
namespace {

constexpr int lanes = 16;

__attribute__((always_inline)) inline double fast_exp(double x) {
  return std::exp(x);
}

/// e^x for x ≤ 0 within 2 ulp, in a form that compilers vectorise: Cephes' polynomial on [−ln2/2, ln2/2].
__attribute__((always_inline)) inline float fast_exp(float x) {
  const float magic = 12582912.0f;  // 1.5·2^23: adding it rounds to an integer in the low bits
  const float clamped = x < -87.0f ? -87.0f : x;
  const float shifted = clamped * 1.44269504088896341f + magic;
  const float n = shifted - magic;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  uint32_t bits, magic_bits;
  std::memcpy(&bits, &shifted, 4);
  std::memcpy(&magic_bits, &magic, 4);
  const uint32_t exponent = (bits - magic_bits + 127u) << 23;
  float power;
  std::memcpy(&power, &exponent, 4);
  return x < -87.0f ? 0.0f : p * power;
}

/// One row's sums. Lanes keep the order of additions the same on every instruction set.
template <typename T>
struct RowSums {
  T maximum;
  double exponentials, shifted, weighted_exponentials;  ///< Σe, Σ(z−m)·base, Σe·(z−m)
};

template <typename T, bool entropy>
__attribute__((always_inline)) inline RowSums<T> sum_row(const T* z, const T* base, int64_t k) {
  T highest[lanes];
  for (int j = 0; j < lanes; ++j) highest[j] = z[0];
  int64_t i = 0;
  for (; i + lanes <= k; i += lanes)
    for (int j = 0; j < lanes; ++j) highest[j] = z[i + j] > highest[j] ? z[i + j] : highest[j];
  for (; i < k; ++i) highest[0] = z[i] > highest[0] ? z[i] : highest[0];
  T m = highest[0];
  for (int j = 1; j < lanes; ++j) m = highest[j] > m ? highest[j] : m;

  T e_sum[lanes] = {}, shifted[lanes] = {}, weighted[lanes] = {};
  for (i = 0; i + lanes <= k; i += lanes)
    for (int j = 0; j < lanes; ++j) {
      const T d = z[i + j] - m;
      const T e = fast_exp(d);
      e_sum[j] += e;
      shifted[j] += base != nullptr ? d * base[i + j] : d;
      if (entropy) weighted[j] += e * d;
    }
  for (int j = 0; i < k; ++i, ++j) {
    const T d = z[i] - m;
    const T e = fast_exp(d);
    e_sum[j] += e;
    shifted[j] += base != nullptr ? d * base[i] : d;
    if (entropy) weighted[j] += e * d;
  }
  RowSums<T> sums{m, 0, 0, 0};
  for (int j = 0; j < lanes; ++j) {
    sums.exponentials += static_cast<double>(e_sum[j]);
    sums.shifted += static_cast<double>(shifted[j]);
    sums.weighted_exponentials += static_cast<double>(weighted[j]);
  }
  return sums;
}

SMOOTHLAB_VECTOR_CLONES
RowSums<float> sum_float_row(const float* z, const float* base, int64_t k, bool entropy) {
  return entropy ? sum_row<float, true>(z, base, k) : sum_row<float, false>(z, base, k);
}
RowSums<float> sum_row_of(const float* z, const float* base, int64_t k, bool entropy) {
  return sum_float_row(z, base, k, entropy);
}
RowSums<double> sum_row_of(const double* z, const double* base, int64_t k, bool entropy) {
  return entropy ? sum_row<double, true>(z, base, k) : sum_row<double, false>(z, base, k);
}

/// Numbers of one row's gradient: (p − base − peak·[k=y] + β·p·(log p + H))·scale.
template <typename T>
struct RowGradient {
  T maximum, log_sum, entropy, base, peak, penalty, scale;
};

template <typename T, bool penalised, typename Out>
__attribute__((always_inline)) inline void gradient_row(const T* z, const T* base, int64_t k, int64_t label,
                                                        const RowGradient<T>& row, Out* out) {
  const T inverse_sum = std::exp(-row.log_sum);
  const auto without_peak = [&](int64_t i) __attribute__((always_inline)) {
    const T d = z[i] - row.maximum;
    const T p = fast_exp(d) * inverse_sum;
    T g = p - (base != nullptr ? base[i] : row.base);
    if (penalised) g += row.penalty * p * ((d - row.log_sum) + row.entropy);
    return g;
  };
  for (int64_t i = 0; i < k; ++i) models::put(without_peak(i) * row.scale, out[i]);
  models::put((without_peak(label) - row.peak) * row.scale, out[label]);
}

SMOOTHLAB_VECTOR_CLONES
void gradient_float_row(const float* z, const float* base, int64_t k, int64_t label,
                        const RowGradient<float>& row, float* out) {
  if (row.penalty != 0)
    gradient_row<float, true>(z, base, k, label, row, out);
  else
    gradient_row<float, false>(z, base, k, label, row, out);
}
SMOOTHLAB_VECTOR_CLONES
void gradient_bf16_row(const float* z, const float* base, int64_t k, int64_t label,
                       const RowGradient<float>& row, at::BFloat16* out) {
  if (row.penalty != 0)
    gradient_row<float, true>(z, base, k, label, row, out);
  else
    gradient_row<float, false>(z, base, k, label, row, out);
}
void gradient_row_of(const float* z, const float* base, int64_t k, int64_t label,
                     const RowGradient<float>& row, float* out) {
  gradient_float_row(z, base, k, label, row, out);
}
void gradient_row_of(const float* z, const float* base, int64_t k, int64_t label,
                     const RowGradient<float>& row, at::BFloat16* out) {
  gradient_bf16_row(z, base, k, label, row, out);
}
void gradient_row_of(const double* z, const double* base, int64_t k, int64_t label,
                     const RowGradient<double>& row, double* out) {
  gradient_row<double, true>(z, base, k, label, row, out);
}

int64_t grain(int64_t classes) {
  return std::max<int64_t>(1, 32768 / classes);
}

template <typename T>
RowPass forward_typed(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets) {
  const int64_t rows = logits.size(0), k = logits.size(1);
  const at::Tensor base = targets.base_per_class.defined()
                              ? targets.base_per_class.to(logits.scalar_type()).contiguous()
                              : at::Tensor();
  const T* base_data = base.defined() ? base.data_ptr<T>() : nullptr;
  const T* z = logits.data_ptr<T>();
  const int64_t* y = labels.data_ptr<int64_t>();
  RowPass pass{at::Tensor(), at::empty({rows, 3}, logits.options())};
  T* statistics = pass.statistics.data_ptr<T>();
  std::vector<double> losses(static_cast<size_t>(rows));
  const bool entropy = targets.confidence_penalty != 0;
  at::parallel_for(0, rows, grain(k), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const RowSums<T> sums = sum_row_of(z + r * k, base_data, k, entropy);
      const double log_sum = std::log(sums.exponentials);
      const double h = entropy ? log_sum - sums.weighted_exponentials / sums.exponentials : 0;
      const double peak = targets.peak * static_cast<double>(z[r * k + y[r]] - sums.maximum);
      const double spread = base_data != nullptr ? sums.shifted : targets.base * sums.shifted;
      // Targets sum to one: −Σ t log p = log Σ exp(z−m) − Σ t (z−m).
      losses[static_cast<size_t>(r)] = log_sum - peak - spread - targets.confidence_penalty * h;
      statistics[3 * r] = sums.maximum;
      statistics[3 * r + 1] = static_cast<T>(log_sum);
      statistics[3 * r + 2] = static_cast<T>(h);
    }
  });
  double total = 0;
  for (const double loss : losses) total += loss;
  pass.loss = at::scalar_tensor(total, logits.options());
  return pass;
}

template <typename T, typename Out>
at::Tensor backward_typed(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& statistics,
                          const SoftTargets& targets, double grad_scale) {
  const int64_t rows = logits.size(0), k = logits.size(1);
  const at::Tensor base = targets.base_per_class.defined()
                              ? targets.base_per_class.to(logits.scalar_type()).contiguous()
                              : at::Tensor();
  const T* base_data = base.defined() ? base.data_ptr<T>() : nullptr;
  const T* z = logits.data_ptr<T>();
  const T* s = statistics.data_ptr<T>();
  const int64_t* y = labels.data_ptr<int64_t>();
  at::Tensor gradient = at::empty_like(logits, c10::CppTypeToScalarType<Out>::value);
  Out* out = gradient.data_ptr<Out>();
  at::parallel_for(0, rows, grain(k), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const RowGradient<T> row{s[3 * r],
                               s[3 * r + 1],
                               s[3 * r + 2],
                               static_cast<T>(targets.base),
                               static_cast<T>(targets.peak),
                               static_cast<T>(targets.confidence_penalty),
                               static_cast<T>(grad_scale)};
      gradient_row_of(z + r * k, base_data, k, y[r], row, out + r * k);
    }
  });
  return gradient;
}

}  // namespace

RowPass forward_rows(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets) {
  return logits.scalar_type() == at::kDouble ? forward_typed<double>(logits, labels, targets)
                                             : forward_typed<float>(logits, labels, targets);
}

at::Tensor backward_rows(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& statistics,
                         const SoftTargets& targets, double grad_scale, at::ScalarType type) {
  if (logits.scalar_type() == at::kDouble)
    return backward_typed<double, double>(logits, labels, statistics, targets, grad_scale);
  return type == at::kBFloat16
             ? backward_typed<float, at::BFloat16>(logits, labels, statistics, targets, grad_scale)
             : backward_typed<float, float>(logits, labels, statistics, targets, grad_scale);
}

int64_t count_hits(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& statistics) {
  const int64_t k = logits.size(1);
  int64_t hits = 0;
  const auto count = [&](const auto* z, const auto* s) {
    const int64_t* y = labels.data_ptr<int64_t>();
    for (int64_t r = 0; r < logits.size(0); ++r, z += k, s += 3)
      hits += z[y[r]] == *s && std::find(z, z + y[r], *s) == z + y[r];
  };
  if (logits.scalar_type() == at::kDouble)
    count(logits.data_ptr<double>(), statistics.data_ptr<double>());
  else
    count(logits.data_ptr<float>(), statistics.data_ptr<float>());
  return hits;
}

RowPass forward_rows_aten(const at::Tensor& logits, const at::Tensor& labels, const SoftTargets& targets) {
  const at::Tensor maximum = at::amax(logits, {1}, true);
  const at::Tensor shifted = logits - maximum;
  const at::Tensor log_sum = at::logsumexp(shifted, {1}, true);
  const at::Tensor log_p = shifted - log_sum;
  at::Tensor loss = -targets.peak * log_p.gather(1, labels.unsqueeze(1)).sum();
  if (targets.base_per_class.defined())
    loss = loss - at::matmul(log_p, targets.base_per_class.to(log_p.options())).sum();
  else if (targets.base != 0)
    loss = loss - targets.base * log_p.sum();
  at::Tensor h = at::zeros_like(log_sum);
  if (targets.confidence_penalty != 0) {
    h = -(log_p.exp() * log_p).sum(1, true);
    loss = loss - targets.confidence_penalty * h.sum();
  }
  return {loss, at::cat({maximum, log_sum, h}, 1)};
}

at::Tensor backward_rows_aten(const at::Tensor& logits, const at::Tensor& labels,
                              const at::Tensor& statistics, const SoftTargets& targets,
                              const at::Tensor& grad_scale) {
  const at::Tensor log_p = logits - statistics.narrow(1, 0, 1) - statistics.narrow(1, 1, 1);
  const at::Tensor p = log_p.exp();
  at::Tensor gradient = p.clone();
  if (targets.confidence_penalty != 0)
    gradient += targets.confidence_penalty * p * (log_p + statistics.narrow(1, 2, 1));
  if (targets.base_per_class.defined())
    gradient -= targets.base_per_class.to(logits.options());
  else
    gradient -= targets.base;
  const at::Tensor column = labels.unsqueeze(1);
  gradient.scatter_add_(1, column, at::full_like(column, -targets.peak, logits.options()));
  return gradient.mul_(grad_scale);
}

}  // namespace smoothlab::trainer
