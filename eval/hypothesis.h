#pragma once

#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// A translation that a search found.
struct Hypothesis {
  std::vector<int32_t> tokens;  ///< without begin and end
  double log_probability = 0;   ///< nats, of its tokens and the end token; never above 0
  double score = 0;             ///< what hypotheses are ranked by
  bool cut = false;             ///< the end token came because the output could grow no longer
};

/// What every search is told.
struct SearchOptions {
  double temperature = 1;      ///< divides the logits: p = softmax(z / T), within the search
  int64_t n = 1;               ///< hypotheses a sentence
  int64_t longest_extra = 50;  ///< see most_tokens
  int64_t shortest = 0;        ///< tokens before the end token may come
};

/// An output has at most as many tokens as its source, without the end tokens, and longest_extra more, or as
/// many as the shortest must have. After those the end token comes, whatever its probability.
int64_t most_tokens(const SearchOptions& options, int64_t source_tokens);

/// Throws UsageError for a temperature outside 1/1000 … 1000, n below 1, or negative lengths.
void check(const SearchOptions& options);

}  // namespace smoothlab::eval
