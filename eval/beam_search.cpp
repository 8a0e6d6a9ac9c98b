#include "eval/beam_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cluster/error.h"
#include "eval/length_penalty.h"

namespace smoothlab::eval {
namespace {

/// What is the same for all sentences of a batch.
struct Rules {
  const BeamOptions& options;
  const data::Vocabulary& target;
  LengthPenalty penalty;
  std::vector<int32_t> never, never_yet;  ///< tokens that are not chosen; nor before the shortest length
};

/// A continuation of the hypothesis in a lane.
struct Continuation {
  double log_probability;  ///< of the whole
  int64_t lane;
  int32_t token;
};

class SentenceBeam : public SentenceSearch {
 public:
  SentenceBeam(const Rules& rules, int64_t sentence, int64_t source_tokens)
      : SentenceSearch(rules.target.special.begin),
        rules_(rules),
        sentence_(sentence),
        most_tokens_(source_tokens + rules.options.longest_extra),
        live_(1) {}

  void advance(const float* logits, SearchScratch& scratch) override {
    const std::vector<Continuation> best =
        tokens_so_far_ == most_tokens_ ? endings(logits, scratch) : continuations(logits, scratch);
    std::vector<Hypothesis> next;
    parents_.clear();
    tokens_.clear();
    for (const Continuation& one : best) {
      const Hypothesis& before = live_[static_cast<size_t>(one.lane)];
      if (one.token == rules_.target.special.end) {
        finish(before, one.log_probability);
      } else if (static_cast<int64_t>(next.size()) < rules_.options.beam) {
        next.push_back(before);
        next.back().tokens.push_back(one.token);
        next.back().log_probability = one.log_probability;
        parents_.push_back(one.lane);
        tokens_.push_back(one.token);
      }
    }
    ++tokens_so_far_;
    live_ = std::move(next);
    if (tokens_so_far_ > most_tokens_ || nothing_better_can_come()) {
      live_.clear();
      parents_.clear();
      tokens_.clear();
    }
  }

  std::vector<Hypothesis> results() override { return std::move(finished_); }

 private:
  /// The best of all lanes; those of a lane come sorted.
  std::vector<Continuation> continuations(const float* logits, SearchScratch& scratch) const {
    const BeamOptions& options = rules_.options;
    const int64_t wanted = options.beam == 1 ? 1 : 2 * options.beam;
    const auto& never = tokens_so_far_ < options.shortest ? rules_.never_yet : rules_.never;
    std::vector<Continuation> all;
    for (size_t lane = 0; lane < live_.size(); ++lane) {
      const float* row = logits + static_cast<int64_t>(lane) * rules_.target.size;
      const NextTokens next = next_of(row, scratch);
      top_candidates(row, rules_.target.size, wanted, never, scratch.candidates);
      for (const Candidate& one : scratch.candidates)
        all.push_back({live_[lane].log_probability + next.log_probability(one.logit),
                       static_cast<int64_t>(lane), one.token});
    }
    sort(all);
    if (static_cast<int64_t>(all.size()) > wanted) all.resize(static_cast<size_t>(wanted));
    return all;
  }

  /// Every lane with the end token.
  std::vector<Continuation> endings(const float* logits, SearchScratch& scratch) const {
    const int32_t end = rules_.target.special.end;
    std::vector<Continuation> all;
    for (size_t lane = 0; lane < live_.size(); ++lane) {
      const float* row = logits + static_cast<int64_t>(lane) * rules_.target.size;
      all.push_back({live_[lane].log_probability + next_of(row, scratch).log_probability(row[end]),
                     static_cast<int64_t>(lane), end});
    }
    sort(all);
    return all;
  }

  NextTokens next_of(const float* row, SearchScratch& scratch) const {
    return finite_next_tokens(row, rules_.target.size, rules_.options.temperature, scratch, sentence_,
                              tokens_so_far_);
  }

  /// Equals stay in the order of lanes, and within one as they came.
  static void sort(std::vector<Continuation>& all) {
    std::stable_sort(all.begin(), all.end(), [](const Continuation& a, const Continuation& b) {
      return a.log_probability > b.log_probability;
    });
  }

  void finish(const Hypothesis& before, double log_probability) {
    const double score = log_probability / rules_.penalty.at(tokens_so_far_ + 1);
    if (full() && score <= finished_.back().score) return;
    const auto place =
        std::upper_bound(finished_.begin(), finished_.end(), score,
                         [](double value, const Hypothesis& one) { return value > one.score; });
    finished_.insert(place, {before.tokens, log_probability, score, tokens_so_far_ == most_tokens_});
    if (static_cast<int64_t>(finished_.size()) > rules_.options.n) finished_.pop_back();
  }

  bool full() const { return static_cast<int64_t>(finished_.size()) == rules_.options.n; }

  /// A live hypothesis of log P = p can only come to log P = q ≤ p: what tokens add is never above 0, and
  /// rounding keeps order. Ended at length L ≤ `longest` it scores q / penalty(L). As q is not above 0 and
  /// penalties never fall with L, q / penalty(L) ≤ q / penalty(longest) ≤ p / penalty(longest), in floating
  /// point too. Where that does not exceed the last of n finished ones for the live one of the greatest p,
  /// the first, none will: an equal score comes too late to take a place.
  bool nothing_better_can_come() const {
    if (live_.empty()) return true;
    if (!full()) return false;
    if (rules_.options.beam == 1) return true;
    const double bound = live_.front().log_probability / rules_.penalty.at(most_tokens_ + 1);
    return rules_.options.early_stop && bound <= finished_.back().score;
  }

  const Rules& rules_;
  int64_t sentence_, most_tokens_, tokens_so_far_ = 0;
  std::vector<Hypothesis> live_, finished_;  ///< both the best first, the ones by log P, the others by score
};

}  // namespace

void check(const BeamOptions& options) {
  check(static_cast<const SearchOptions&>(options));
  if (options.beam < 1 || options.beam > 10000)
    throw UsageError(fmt::format("a beam of {}", options.beam), "beam", "choose one in 1 … 10000");
  if (options.n > options.beam)
    throw UsageError(fmt::format("{} hypotheses of a beam of {}", options.n, options.beam), "n-best",
                     "ask for no more than the beam holds, or widen it");
  LengthPenalty(options.length_penalty, 1);
}

std::vector<std::vector<Hypothesis>> beam_search(models::Decoding& decoding, const SearchBatch& batch,
                                                 const data::Vocabulary& target, const BeamOptions& options,
                                                 int threads) {
  check(options);
  int64_t longest = 0;
  for (const int64_t tokens : batch.source_tokens) longest = std::max(longest, tokens);
  Rules rules{options,
              target,
              LengthPenalty(options.length_penalty, longest + options.longest_extra + 1),
              tokens_without_text(target.special),
              {}};
  rules.never_yet = rules.never;
  rules.never_yet.push_back(target.special.end);
  std::vector<std::unique_ptr<SentenceSearch>> searches;
  for (size_t i = 0; i < batch.source_tokens.size(); ++i)
    searches.push_back(std::make_unique<SentenceBeam>(rules, batch.ids[i], batch.source_tokens[i]));
  return search_together(decoding, searches, target.size, threads);
}

}  // namespace smoothlab::eval
