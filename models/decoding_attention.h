#pragma once

#include <cstdint>
#include <vector>

namespace smoothlab::models {

/// One query's attention in all its heads: keys[i] is the i-th key, [width], and its value stands `to_value`
/// numbers behind it. query, out: [width]; weights: scratch.
void attend_one(const float* query, const std::vector<const float*>& keys, int64_t to_value, int64_t width,
                int64_t heads, std::vector<float>& weights, float* out);

}  // namespace smoothlab::models
