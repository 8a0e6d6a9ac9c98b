#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <vector>

namespace smoothlab::models {

/// One head over one sentence.
struct HeadSize {
  int64_t queries = 0, keys = 0;
  int64_t width = 0;  ///< of the head
  bool causal = false;
  /// Columns in scratch are whole vectors.
  int64_t padded_keys() const { return (keys + 15) / 16 * 16; }
  int64_t padded_width() const { return (width + 15) / 16 * 16; }
};

/// Scratch memory in which a thread works on one head after another, in float32. Tensors are [rows, …] with
/// these strides, T float or bf16.
class AttentionHead {
 public:
  template <typename T>
  void load(const HeadSize& size, const T* q, int64_t q_stride, const T* k, const T* v, int64_t kv_stride);

  /// Room for factors of the attention weights: [queries, padded_keys].
  float* factors(const HeadSize& size);

  /// out = (softmax · factors) · v; sums: log Σ exp of each query's scores, `sums_stride` apart. factors may
  /// be null.
  template <typename T>
  void forward(const HeadSize& size, const float* factors, T* out, int64_t out_stride, float* sums,
               int64_t sums_stride);
  /// The gradients of q, k and v from that of out and the sums of the forward pass.
  template <typename T>
  void backward(const HeadSize& size, const float* factors, const T* gradient, int64_t gradient_stride,
                const float* sums, int64_t sums_stride, T* d_q, int64_t d_q_stride, T* d_k, T* d_v,
                int64_t d_kv_stride);

 private:
  void scores(const HeadSize& size);

  std::vector<float> q_;         ///< [queries, padded width], times 1/√width
  std::vector<float> k_;         ///< [keys, padded width]
  std::vector<float> k_across_;  ///< [width, padded keys]
  std::vector<float> v_, v_across_;
  std::vector<float> scores_;  ///< [queries, padded keys]
  std::vector<float> factors_, gradient_, weights_gradient_, across_, result_;
};

}  // namespace smoothlab::models
