#pragma once

#include <cstdint>
#include <vector>

#include "models/translation_network.h"

namespace smoothlab::eval {

/// How many sentences go through the network together.
struct BatchLimits {
  int64_t tokens = 2048;    ///< of their sources, with end tokens; a longer sentence goes alone
  int64_t sentences = 128;  ///< however short they are: each has as many lanes as the beam
};

/// Sentences by number, grouped by the length of their sources: the longest first, among equals in order.
/// Each is in one batch.
std::vector<std::vector<int64_t>> batches_by_length(const models::SourceSentences& sources,
                                                    const BatchLimits& limits);

/// The sentences with these numbers.
models::SourceSentences chosen_sentences(const models::SourceSentences& sources,
                                         const std::vector<int64_t>& numbers);

}  // namespace smoothlab::eval
