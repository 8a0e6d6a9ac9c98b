#pragma once

#include <cstdint>
#include <vector>

#include "data/sentence_pairs.h"
#include "eval/hypothesis.h"
#include "eval/sentence_search.h"

namespace smoothlab::models {
class Decoding;
}

namespace smoothlab::eval {

struct SamplingOptions : SearchOptions {
  uint64_t seed = 1;
  int64_t top_k = 0;  ///< draws among the most probable tokens only; 0: among all
};

/// Throws UsageError as check(SearchOptions) does, and for a negative top_k or n above 10000.
void check(const SamplingOptions& options);

/// Draws n outputs for each sentence, token by token with p = softmax(z / T), in the order of their draws.
/// Token t of draw d of a sentence is a function of (seed, sentence's id, d, t) and the logits. Padding,
/// unknown and begin are not drawn, and before the shortest length nor is the end token; the others share
/// their probability, as with top_k. log P is the network's own all the same, and the score.
///
/// As beam_search does it otherwise, throws and is to be called.
std::vector<std::vector<Hypothesis>> sample_translations(models::Decoding& decoding, const SearchBatch& batch,
                                                         const data::Vocabulary& target,
                                                         const SamplingOptions& options, int threads = 1);

}  // namespace smoothlab::eval
