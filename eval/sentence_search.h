#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "eval/hypothesis.h"
#include "eval/next_tokens.h"
#include "eval/row_kernels.h"

namespace smoothlab::models {
class Decoding;
struct SourceSentences;
}  // namespace smoothlab::models

namespace smoothlab::eval {

/// Sentences that are searched for at once.
struct SearchBatch {
  std::vector<int64_t> source_tokens;  ///< of each, without the end token
  std::vector<int64_t> ids;            ///< who it is: addresses random numbers, and is named by errors
};
/// ids: of the sentences.
SearchBatch search_batch(const models::SourceSentences& sources, std::vector<int64_t> ids);

/// Room for one thread's work on a row.
struct SearchScratch {
  explicit SearchScratch(int64_t classes) : exponentials(classes) {}
  FloatLanes exponentials;
  std::vector<Candidate> candidates;
};

/// The search for one sentence: which lanes it has, and when it has found enough. It sees its own lanes only,
/// so that what it finds cannot depend on the batch.
class SentenceSearch {
 public:
  virtual ~SentenceSearch() = default;
  SentenceSearch(const SentenceSearch&) = delete;
  SentenceSearch& operator=(const SentenceSearch&) = delete;

  /// Takes the logits after its lanes, [lanes, K], and chooses the next lanes. Throws RunError where they are
  /// not finite.
  virtual void advance(const float* logits, SearchScratch& scratch) = 0;
  /// What was found, when no lane is left.
  virtual std::vector<Hypothesis> results() = 0;

  /// The lanes to go on with: which of the last ones each continues, and by which token. At the start one,
  /// which gets the begin token. None: the sentence is done.
  const std::vector<int64_t>& parents() const { return parents_; }
  const std::vector<int32_t>& tokens() const { return tokens_; }

 protected:
  explicit SentenceSearch(int32_t begin) : parents_{0}, tokens_{begin} {}
  std::vector<int64_t> parents_;
  std::vector<int32_t> tokens_;
};

/// Runs the searches, one a lane of `decoding` at the start, until all are done. Those that are leave the
/// batch. threads: for what is done between the steps, over sentences; does not change what is found.
/// Throws what the searches and the decoding throw.
std::vector<std::vector<Hypothesis>> search_together(
    models::Decoding& decoding, const std::vector<std::unique_ptr<SentenceSearch>>& searches, int64_t classes,
    int threads);

/// next_tokens of a lane, which has `tokens` tokens. Throws RunError naming the sentence where a logit is not
/// finite.
NextTokens finite_next_tokens(const float* logits, int64_t classes, double temperature,
                              SearchScratch& scratch, int64_t sentence, int64_t tokens);

}  // namespace smoothlab::eval
