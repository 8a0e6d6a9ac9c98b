#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "models/row_dropout.h"

namespace smoothlab::models {

/// Where sentences begin in packed rows: sentence i is rows [offsets[i], offsets[i+1]).
using Offsets = std::vector<int64_t>;

/// How heads attend.
struct AttentionShape {
  int64_t heads = 8;
  bool causal = false;  ///< a token sees itself and those before it
  Offsets queries, keys;
  RowDropout dropout;  ///< of the attention weights; its rows are the queries'
};

/// softmax(q·kᵀ/√(width/heads))·v in each head of each sentence (Vaswani et al. 2017, eq. 1), without
/// padding. Self-attention: rows are [N, 3·width], q, k and v side by side. Returns [N, width].
at::Tensor self_attention(const at::Tensor& rows, const AttentionShape& shape);
/// queries: [N, width]; keys_and_values: [S, 2·width], k and v side by side. Returns [N, width].
at::Tensor cross_attention(const at::Tensor& queries, const at::Tensor& keys_and_values,
                           const AttentionShape& shape);

}  // namespace smoothlab::models
