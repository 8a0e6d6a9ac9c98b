#include "models/decoding_attention.h"

#include <algorithm>
#include <cmath>

#include "cluster/vector_clones.h"

namespace smoothlab::models {
namespace {

constexpr int64_t kLanes = 16;

/// Σ a·b in sixteen partial sums.
SMOOTHLAB_VECTOR_CLONES float dot(const float* a, const float* b, int64_t n) {
  float sums[kLanes] = {};
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (int64_t i = whole; i < n; ++i) sums[i - whole] += a[i] * b[i];
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

SMOOTHLAB_VECTOR_CLONES void add_scaled(const float* from, float scale, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i) to[i] += from[i] * scale;
}

}  // namespace

void attend_one(const float* query, const std::vector<const float*>& keys, int64_t to_value, int64_t width,
                int64_t heads, std::vector<float>& weights, float* out) {
  const int64_t depth = width / heads;
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
  weights.resize(keys.size());
  std::fill(out, out + width, 0.0F);
  for (int64_t head = 0; head < heads; ++head) {
    const int64_t column = head * depth;
    for (size_t key = 0; key < keys.size(); ++key)
      weights[key] = dot(query + column, keys[key] + column, depth) * scale;
    const float highest = *std::max_element(weights.begin(), weights.end());
    float sum = 0;
    for (float& weight : weights) sum += weight = std::exp(weight - highest);
    for (size_t key = 0; key < keys.size(); ++key)
      add_scaled(keys[key] + to_value + column, weights[key] / sum, depth, out + column);
  }
}

}  // namespace smoothlab::models
