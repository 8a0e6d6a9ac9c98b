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

struct BeamOptions : SearchOptions {
  int64_t beam = 4;             ///< hypotheses that grow at once; ≥ n. 1: greedy
  double length_penalty = 0.6;  ///< alpha, see LengthPenalty; 0: none
  bool early_stop = true;       ///< finds the same without it, later
};

/// Throws UsageError as check(SearchOptions) does, for a beam below 1 or above 10000, fewer than n, and for a
/// length penalty outside 0 … 10.
void check(const BeamOptions& options);

/// Beam search as tensor2tensor does it, batched: for each sentence up to n hypotheses, the best first, by
/// score = log P / LengthPenalty(tokens with the end token).
///
/// A step takes the 2·beam best continuations of a sentence's live hypotheses by log P. Those that end
/// compete for the n places of the finished, the best `beam` of the others live on: as many as that there
/// always are, since every live one has one continuation that ends. Ties: the hypothesis found earlier, then
/// the lower lane, then the lower token. A beam of one is greedy: it takes the most probable token until that
/// is the end token.
///
/// Padding, unknown and begin are never chosen; log P is the network's own all the same. What is found for a
/// sentence is bitwise the same whatever else is in the batch and however many threads there are.
///
/// decoding: a lane for each sentence of the batch, before its first step. target: of its logits. Throws
/// RunError where a logit is not finite, and UsageError as check() does.
std::vector<std::vector<Hypothesis>> beam_search(models::Decoding& decoding, const SearchBatch& batch,
                                                 const data::Vocabulary& target, const BeamOptions& options,
                                                 int threads = 1);

}  // namespace smoothlab::eval
