#include "eval/sentence_batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace smoothlab::eval {

std::vector<std::vector<int64_t>> batches_by_length(const models::SourceSentences& sources,
                                                    const BatchLimits& limits) {
  const auto length = [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    return sources.offsets[at + 1] - sources.offsets[at];
  };
  std::vector<int64_t> order(static_cast<size_t>(sources.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return length(a) > length(b); });
  std::vector<std::vector<int64_t>> batches;
  int64_t tokens = 0;
  for (const int64_t i : order) {
    if (batches.empty() || tokens + length(i) > limits.tokens ||
        static_cast<int64_t>(batches.back().size()) >= limits.sentences) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(i);
    tokens += length(i);
  }
  return batches;
}

models::SourceSentences chosen_sentences(const models::SourceSentences& sources,
                                         const std::vector<int64_t>& numbers) {
  models::SourceSentences chosen;
  for (const int64_t number : numbers) {
    const auto at = static_cast<size_t>(number);
    chosen.tokens.insert(chosen.tokens.end(), sources.tokens.begin() + sources.offsets[at],
                         sources.tokens.begin() + sources.offsets[at + 1]);
    chosen.offsets.push_back(static_cast<int64_t>(chosen.tokens.size()));
  }
  return chosen;
}

}  // namespace smoothlab::eval
