#include "models/residual_norm_kernels.h"

#include <cmath>

#include "cluster/vector_clones.h"
#include "models/bfloat16.h"

// Bodies must be inlined into each copy to be compiled for its instruction set.
#define SMOOTHLAB_BODY __attribute__((always_inline)) inline

namespace smoothlab::models::residual_norm_kernels {
namespace {

using c10::BFloat16;

/// Partial sums, so that a sum is vectorised without leave to reorder it.
constexpr int64_t kLanes = 32;

template <typename B>
SMOOTHLAB_BODY void add_body(const float* stream, const B* branch, const float* factors, int64_t n,
                             float* sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] = stream[i] + to_float(branch[i]) * factors[i];
}

SMOOTHLAB_BODY float total(const float* lanes) {
  float sum = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
  return sum;
}

template <typename T>
SMOOTHLAB_BODY void normalise_body(const float* row, int64_t n, float mean, float inverse,
                                   const float* weight, const float* bias, T* out) {
  for (int64_t i = 0; i < n; ++i) put((row[i] - mean) * inverse * weight[i] + bias[i], out[i]);
}

template <typename T>
SMOOTHLAB_BODY void normalise_back_body(const T* gradient, const float* row, int64_t n, float mean,
                                        float inverse, const float* weight, float* d_row, float* d_weight,
                                        float* d_bias) {
  float sums[kLanes] = {}, products[kLanes] = {};
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const float x = (row[i + lane] - mean) * inverse, g = to_float(gradient[i + lane]);
      const float scaled = g * weight[i + lane];
      sums[lane] += scaled;
      products[lane] += scaled * x;
      d_weight[i + lane] += g * x;
      d_bias[i + lane] += g;
    }
  for (int64_t i = whole; i < n; ++i) {
    const float x = (row[i] - mean) * inverse, g = to_float(gradient[i]);
    sums[i - whole] += g * weight[i];
    products[i - whole] += g * weight[i] * x;
    d_weight[i] += g * x;
    d_bias[i] += g;
  }
  const float by = 1 / static_cast<float>(n), sum = total(sums) * by, product = total(products) * by;
  for (int64_t i = 0; i < n; ++i) {
    const float x = (row[i] - mean) * inverse;
    d_row[i] += inverse * (to_float(gradient[i]) * weight[i] - sum - x * product);
  }
}

template <typename T>
SMOOTHLAB_BODY void scale_body(const float* gradient, const float* factors, int64_t n, T* out) {
  for (int64_t i = 0; i < n; ++i) put(gradient[i] * factors[i], out[i]);
}

}  // namespace

SMOOTHLAB_VECTOR_CLONES void add(const float* stream, const float* branch, const float* factors, int64_t n,
                                 float* sum) {
  add_body(stream, branch, factors, n, sum);
}
SMOOTHLAB_VECTOR_CLONES void add(const float* stream, const BFloat16* branch, const float* factors, int64_t n,
                                 float* sum) {
  add_body(stream, branch, factors, n, sum);
}

SMOOTHLAB_VECTOR_CLONES void statistics(const float* row, int64_t n, float epsilon, float& mean,
                                        float& inverse) {
  const int64_t whole = n / kLanes * kLanes;
  float sums[kLanes] = {}, squares[kLanes] = {};
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += row[i + lane];
  for (int64_t i = whole; i < n; ++i) sums[i - whole] += row[i];
  mean = total(sums) / static_cast<float>(n);
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const float x = row[i + lane] - mean;
      squares[lane] += x * x;
    }
  for (int64_t i = whole; i < n; ++i) squares[i - whole] += (row[i] - mean) * (row[i] - mean);
  inverse = 1 / std::sqrt(total(squares) / static_cast<float>(n) + epsilon);
}

SMOOTHLAB_VECTOR_CLONES void normalise(const float* row, int64_t n, float mean, float inverse,
                                       const float* weight, const float* bias, float* out) {
  normalise_body(row, n, mean, inverse, weight, bias, out);
}
SMOOTHLAB_VECTOR_CLONES void normalise(const float* row, int64_t n, float mean, float inverse,
                                       const float* weight, const float* bias, BFloat16* out) {
  normalise_body(row, n, mean, inverse, weight, bias, out);
}

SMOOTHLAB_VECTOR_CLONES void normalise_back(const float* gradient, const float* row, int64_t n, float mean,
                                            float inverse, const float* weight, float* d_row, float* d_weight,
                                            float* d_bias) {
  normalise_back_body(gradient, row, n, mean, inverse, weight, d_row, d_weight, d_bias);
}
SMOOTHLAB_VECTOR_CLONES void normalise_back(const BFloat16* gradient, const float* row, int64_t n, float mean,
                                            float inverse, const float* weight, float* d_row, float* d_weight,
                                            float* d_bias) {
  normalise_back_body(gradient, row, n, mean, inverse, weight, d_row, d_weight, d_bias);
}

SMOOTHLAB_VECTOR_CLONES void scale(const float* gradient, const float* factors, int64_t n, float* out) {
  scale_body(gradient, factors, n, out);
}
SMOOTHLAB_VECTOR_CLONES void scale(const float* gradient, const float* factors, int64_t n, BFloat16* out) {
  scale_body(gradient, factors, n, out);
}

}  // namespace smoothlab::models::residual_norm_kernels
