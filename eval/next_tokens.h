#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/sentence_pairs.h"
#include "eval/row_kernels.h"

namespace smoothlab::eval {

/// A token that may come next.
struct Candidate {
  float logit = 0;
  int32_t token = 0;
};

/// The tokens that no output holds, whatever their probability: padding, unknown and begin.
std::vector<int32_t> tokens_without_text(const data::SpecialTokens& special);

/// The `count` largest of n finite logits without those of `never` (a few), in falling order, the lower token
/// first among equals; fewer where there are no more.
void top_candidates(const float* logits, int64_t n, int64_t count, const std::vector<int32_t>& never,
                    std::vector<Candidate>& best);

/// log softmax(z / T) over a row of logits. A function of the row alone: its sums have one order.
struct NextTokens {
  float maximum = 0;
  double inverse_temperature = 1;
  double log_sum = 0;   ///< log Σ exp((z_k − maximum) / T) ≥ 0
  bool finite = false;  ///< whether all logits are; where not, the rest means nothing

  /// Never above 0, also by rounding.
  double log_probability(float logit) const {
    return (static_cast<double>(logit) - static_cast<double>(maximum)) * inverse_temperature - log_sum;
  }
};

/// exponentials: receives exp((z_k − maximum) / T), room for RowKernels::padded(n).
NextTokens next_tokens(const float* logits, int64_t n, double temperature, float* exponentials);

}  // namespace smoothlab::eval
