#include "models/attention_head.h"

#include <algorithm>
#include <cmath>

#include "models/bfloat16.h"
#include "models/row_product.h"

namespace smoothlab::models {
namespace {

template <typename T>
void load_rows(const T* from, int64_t stride, int64_t rows, int64_t width, int64_t padded, float scale,
               std::vector<float>& to) {
  to.assign(static_cast<size_t>(rows * padded), 0.0F);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < width; ++i)
      to[static_cast<size_t>(row * padded + i)] = to_float(from[row * stride + i]) * scale;
}

/// [rows, stride] of which `columns` count, to [columns, padded rows].
void turn(const std::vector<float>& from, int64_t rows, int64_t stride, int64_t columns, int64_t padded_rows,
          std::vector<float>& to) {
  to.assign(static_cast<size_t>(columns * padded_rows), 0.0F);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      to[static_cast<size_t>(column * padded_rows + row)] = from[static_cast<size_t>(row * stride + column)];
}

template <typename T>
void store_rows(const std::vector<float>& from, int64_t padded, int64_t rows, int64_t width, float scale,
                T* to, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < width; ++i)
      put(from[static_cast<size_t>(row * padded + i)] * scale, to[row * stride + i]);
}

float scale_of(const HeadSize& size) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(size.width)));
}

/// Keys that a query sees.
int64_t seen(const HeadSize& size, int64_t query) {
  return size.causal ? std::min(size.keys, query + 1) : size.keys;
}

}  // namespace

template <typename T>
void AttentionHead::load(const HeadSize& size, const T* q, int64_t q_stride, const T* k, const T* v,
                         int64_t kv_stride) {
  const int64_t padded = size.padded_width();
  load_rows(q, q_stride, size.queries, size.width, padded, scale_of(size), q_);
  load_rows(k, kv_stride, size.keys, size.width, padded, 1, k_);
  load_rows(v, kv_stride, size.keys, size.width, padded, 1, v_);
}

float* AttentionHead::factors(const HeadSize& size) {
  factors_.resize(static_cast<size_t>(size.queries * size.padded_keys()));
  return factors_.data();
}

void AttentionHead::scores(const HeadSize& size) {
  turn(k_, size.keys, size.padded_width(), size.width, size.padded_keys(), k_across_);
  scores_.assign(static_cast<size_t>(size.queries * size.padded_keys()), 0.0F);
  add_product(q_.data(), size.padded_width(), k_across_.data(), size.padded_keys(), scores_.data(),
              size.padded_keys(), size.queries, size.padded_keys(), size.width);
}

template <typename T>
void AttentionHead::forward(const HeadSize& size, const float* factors, T* out, int64_t out_stride,
                            float* sums, int64_t sums_stride) {
  scores(size);
  const int64_t padded = size.padded_keys();
  for (int64_t query = 0; query < size.queries; ++query) {
    float* row = scores_.data() + query * padded;
    const int64_t keys = seen(size, query);
    const float highest = *std::max_element(row, row + keys);
    float sum = 0;
    for (int64_t key = 0; key < keys; ++key) sum += row[key] = std::exp(row[key] - highest);
    for (int64_t key = 0; key < keys; ++key) row[key] /= sum;
    std::fill(row + keys, row + padded, 0.0F);
    if (factors)
      for (int64_t key = 0; key < keys; ++key) row[key] *= factors[query * padded + key];
    sums[query * sums_stride] = highest + std::log(sum);
  }
  result_.assign(static_cast<size_t>(size.queries * size.padded_width()), 0.0F);
  add_product(scores_.data(), padded, v_.data(), size.padded_width(), result_.data(), size.padded_width(),
              size.queries, size.padded_width(), size.keys);
  store_rows(result_, size.padded_width(), size.queries, size.width, 1, out, out_stride);
}

template <typename T>
void AttentionHead::backward(const HeadSize& size, const float* factors, const T* gradient,
                             int64_t gradient_stride, const float* sums, int64_t sums_stride, T* d_q,
                             int64_t d_q_stride, T* d_k, T* d_v, int64_t d_kv_stride) {
  scores(size);
  const int64_t keys_padded = size.padded_keys(), width = size.padded_width(),
                queries_padded = (size.queries + 15) / 16 * 16;
  load_rows(gradient, gradient_stride, size.queries, size.width, width, 1, gradient_);
  turn(v_, size.keys, width, size.width, keys_padded, v_across_);
  weights_gradient_.assign(static_cast<size_t>(size.queries * keys_padded), 0.0F);
  add_product(gradient_.data(), width, v_across_.data(), keys_padded, weights_gradient_.data(), keys_padded,
              size.queries, keys_padded, size.width);
  // scores become what v was weighted with, their gradients those of the scores.
  for (int64_t query = 0; query < size.queries; ++query) {
    float* weight = scores_.data() + query * keys_padded;
    float* d = weights_gradient_.data() + query * keys_padded;
    const int64_t keys = seen(size, query);
    const float log_sum = sums[query * sums_stride];
    float mean = 0;
    for (int64_t key = 0; key < keys; ++key) {
      weight[key] = std::exp(weight[key] - log_sum);
      if (factors) d[key] *= factors[query * keys_padded + key];
      mean += weight[key] * d[key];
    }
    for (int64_t key = 0; key < keys; ++key) {
      d[key] = weight[key] * (d[key] - mean);
      if (factors) weight[key] *= factors[query * keys_padded + key];
    }
    std::fill(weight + keys, weight + keys_padded, 0.0F);
    std::fill(d + keys, d + keys_padded, 0.0F);
  }
  const auto product = [&](const std::vector<float>& a, int64_t a_stride, const std::vector<float>& b,
                           int64_t rows, int64_t inner) {
    result_.assign(static_cast<size_t>(rows * width), 0.0F);
    add_product(a.data(), a_stride, b.data(), width, result_.data(), width, rows, width, inner);
  };
  product(weights_gradient_, keys_padded, k_, size.queries, size.keys);
  store_rows(result_, width, size.queries, size.width, scale_of(size), d_q, d_q_stride);
  turn(weights_gradient_, size.queries, keys_padded, size.keys, queries_padded, across_);
  product(across_, queries_padded, q_, size.keys, size.queries);  // q_ is scaled already
  store_rows(result_, width, size.keys, size.width, 1, d_k, d_kv_stride);
  turn(scores_, size.queries, keys_padded, size.keys, queries_padded, across_);
  product(across_, queries_padded, gradient_, size.keys, size.queries);
  store_rows(result_, width, size.keys, size.width, 1, d_v, d_kv_stride);
}

template void AttentionHead::load(const HeadSize&, const float*, int64_t, const float*, const float*,
                                  int64_t);
template void AttentionHead::load(const HeadSize&, const c10::BFloat16*, int64_t, const c10::BFloat16*,
                                  const c10::BFloat16*, int64_t);
template void AttentionHead::forward(const HeadSize&, const float*, float*, int64_t, float*, int64_t);
template void AttentionHead::forward(const HeadSize&, const float*, c10::BFloat16*, int64_t, float*, int64_t);
template void AttentionHead::backward(const HeadSize&, const float*, const float*, int64_t, const float*,
                                      int64_t, float*, int64_t, float*, float*, int64_t);
template void AttentionHead::backward(const HeadSize&, const float*, const c10::BFloat16*, int64_t,
                                      const float*, int64_t, c10::BFloat16*, int64_t, c10::BFloat16*,
                                      c10::BFloat16*, int64_t);

}  // namespace smoothlab::models
