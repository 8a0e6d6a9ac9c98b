#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/sentence_pairs.h"
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
  explicit SearchScratch(int64_t n) : classes(n), exponentials(n) {}
  int64_t classes;
  FloatLanes exponentials;
  std::vector<Candidate> candidates;
};

/// What all sentences of a batch share.
struct SearchRules {
  SearchRules(const SearchOptions& search_options, const data::Vocabulary& target_vocabulary);

  const SearchOptions& options;
  const data::Vocabulary& target;
  std::vector<int32_t> never, never_yet;  ///< tokens that are not chosen; nor before the shortest length
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
  void advance(const float* logits, SearchScratch& scratch) {
    choose(logits, scratch);
    ++tokens_so_far_;
  }
  /// What was found, when no lane is left.
  virtual std::vector<Hypothesis> results() = 0;

  /// The lanes to go on with: which of the last ones each continues, and by which token. At the start one,
  /// which gets the begin token. None: the sentence is done.
  const std::vector<int64_t>& parents() const { return parents_; }
  const std::vector<int32_t>& tokens() const { return tokens_; }

 protected:
  SentenceSearch(const SearchRules& rules, int64_t sentence, int64_t source_tokens);
  virtual void choose(const float* logits, SearchScratch& scratch) = 0;

  /// Of a lane, whose logits these are; scratch.exponentials are its own then. Throws RunError naming the
  /// sentence where one is not finite.
  NextTokens next_of(const float* row, SearchScratch& scratch) const;
  const float* row_of(const float* logits, int64_t lane) const { return logits + lane * rules_.target.size; }
  const std::vector<int32_t>& never() const {
    return tokens_so_far_ < rules_.options.shortest ? rules_.never_yet : rules_.never;
  }
  int64_t most_tokens() const { return most_tokens_; }
  int64_t tokens_so_far() const { return tokens_so_far_; }
  /// Only the end token may come.
  bool at_longest() const { return tokens_so_far_ == most_tokens_; }
  int64_t sentence() const { return sentence_; }

  void go_on(int64_t parent, int32_t token) {
    parents_.push_back(parent);
    tokens_.push_back(token);
  }
  void stop() {
    parents_.clear();
    tokens_.clear();
  }

 private:
  const SearchRules& rules_;
  int64_t sentence_, most_tokens_, tokens_so_far_ = 0;
  std::vector<int64_t> parents_;
  std::vector<int32_t> tokens_;
};

/// Makes the search for a sentence with this id and so many source tokens.
using SearchMaker = std::function<std::unique_ptr<SentenceSearch>(int64_t sentence, int64_t source_tokens)>;

/// Runs a search for each sentence of the batch, one a lane of `decoding` at the start, until all are done.
/// Those that are leave the batch. threads: for what is done between the steps, over sentences; does not
/// change what is found. Throws what the searches and the decoding throw, and UsageError for less than a
/// thread.
std::vector<std::vector<Hypothesis>> search_together(models::Decoding& decoding, const SearchBatch& batch,
                                                     const SearchMaker& make, int64_t classes, int threads);

}  // namespace smoothlab::eval
