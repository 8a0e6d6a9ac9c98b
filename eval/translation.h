#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cluster/communicator.h"
#include "data/sentence_pairs.h"
#include "eval/beam_search.h"
#include "eval/sentence_batches.h"
#include "eval/token_sampling.h"
#include "models/translation_network.h"

namespace smoothlab::eval {

struct TranslationOptions {
  BeamOptions beam;
  std::optional<SamplingOptions> sampling;  ///< in place of the beam
  BatchLimits batches;
  int threads = 1;  ///< for the search; the network has its own
  /// Is told after each batch of this rank how many of its sentences are done, and how many it has.
  std::function<void(int64_t done, int64_t all)> progress;
};

/// Translates sentences, spread over the ranks: for each its hypotheses, in the order of the sentences, the
/// same on every rank. Collective; sources, ids (see SearchBatch) and options are the same on all ranks. What
/// is found for a sentence depends neither on the others nor on ranks, threads and batches. target: the
/// vocabulary of the network's output. Throws as beam_search, sample_translations and the network's decode()
/// do; a rank that throws leaves the others waiting, and the caller ends the job.
std::vector<std::vector<Hypothesis>> translate(models::TranslationNetwork& network,
                                               const models::SourceSentences& sources,
                                               const std::vector<int64_t>& ids,
                                               const data::Vocabulary& target,
                                               const TranslationOptions& options,
                                               cluster::Communicator& communicator);

}  // namespace smoothlab::eval
