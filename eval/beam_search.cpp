#include "eval/beam_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cluster/error.h"
#include "eval/length_penalty.h"

namespace smoothlab::eval {
namespace {

/// A continuation of the hypothesis in a lane.
struct Continuation {
  double log_probability;  ///< of the whole
  int64_t lane;
  int32_t token;
};

class SentenceBeam : public SentenceSearch {
 public:
  SentenceBeam(const SearchRules& rules, const BeamOptions& options, const LengthPenalty& penalty,
               int64_t sentence, int64_t source_tokens)
      : SentenceSearch(rules, sentence, source_tokens),
        options_(options),
        penalty_(penalty),
        end_(rules.target.special.end),
        live_(1) {}

  std::vector<Hypothesis> results() override { return std::move(finished_); }

 private:
  void choose(const float* logits, SearchScratch& scratch) override {
    const std::vector<Continuation> best =
        at_longest() ? endings(logits, scratch) : continuations(logits, scratch);
    std::vector<Hypothesis> next;
    stop();
    for (const Continuation& one : best) {
      const Hypothesis& before = live_[static_cast<size_t>(one.lane)];
      if (one.token == end_) {
        finish(before, one.log_probability);
      } else if (static_cast<int64_t>(next.size()) < options_.beam) {
        next.push_back(before);
        next.back().tokens.push_back(one.token);
        next.back().log_probability = one.log_probability;
        go_on(one.lane, one.token);
      }
    }
    live_ = std::move(next);
    if (at_longest() || nothing_better_can_come()) {
      live_.clear();
      stop();
    }
  }

  /// The best of all lanes; those of a lane come sorted.
  std::vector<Continuation> continuations(const float* logits, SearchScratch& scratch) const {
    const int64_t wanted = options_.beam == 1 ? 1 : 2 * options_.beam;
    std::vector<Continuation> all;
    for (int64_t lane = 0; lane < lanes(); ++lane) {
      const float* row = row_of(logits, lane);
      const NextTokens next = next_of(row, scratch);
      top_candidates(row, scratch.classes, wanted, never(), scratch.candidates);
      for (const Candidate& one : scratch.candidates)
        all.push_back(continued(lane, next, one.logit, one.token));
      // Those of all lanes would be as many as the square of the beam.
      if (static_cast<int64_t>(all.size()) >= 2 * wanted) keep_best(all, wanted);
    }
    keep_best(all, wanted);
    return all;
  }

  /// Every lane with the end token.
  std::vector<Continuation> endings(const float* logits, SearchScratch& scratch) const {
    std::vector<Continuation> all;
    for (int64_t lane = 0; lane < lanes(); ++lane) {
      const float* row = row_of(logits, lane);
      all.push_back(continued(lane, next_of(row, scratch), row[end_], end_));
    }
    keep_best(all, lanes());
    return all;
  }

  int64_t lanes() const { return static_cast<int64_t>(live_.size()); }

  Continuation continued(int64_t lane, const NextTokens& next, float logit, int32_t token) const {
    return {live_[static_cast<size_t>(lane)].log_probability + next.log_probability(logit), lane, token};
  }

  /// Sorts. Equals stay in the order of lanes, and within one as they came.
  static void keep_best(std::vector<Continuation>& all, int64_t count) {
    std::stable_sort(all.begin(), all.end(), [](const Continuation& a, const Continuation& b) {
      return a.log_probability > b.log_probability;
    });
    if (static_cast<int64_t>(all.size()) > count) all.resize(static_cast<size_t>(count));
  }

  void finish(const Hypothesis& before, double log_probability) {
    const double score = log_probability / penalty_.at(tokens_so_far() + 1);
    if (full() && score <= finished_.back().score) return;
    const auto place =
        std::upper_bound(finished_.begin(), finished_.end(), score,
                         [](double value, const Hypothesis& one) { return value > one.score; });
    finished_.insert(place, {before.tokens, log_probability, score, at_longest()});
    if (static_cast<int64_t>(finished_.size()) > options_.n) finished_.pop_back();
  }

  bool full() const { return static_cast<int64_t>(finished_.size()) == options_.n; }

  /// A live hypothesis of log P = p can only come to log P = q ≤ p: what tokens add is never above 0, and
  /// rounding keeps order. Ended at length L ≤ `longest` it scores q / penalty(L). As q is not above 0 and
  /// penalties never fall with L, q / penalty(L) ≤ q / penalty(longest) ≤ p / penalty(longest), in floating
  /// point too. Where that does not exceed the last of n finished ones for the live one of the greatest p,
  /// the first, none will: an equal score comes too late to take a place.
  bool nothing_better_can_come() const {
    if (live_.empty()) return true;
    if (!full()) return false;
    if (options_.beam == 1) return true;
    const double bound = live_.front().log_probability / penalty_.at(most_tokens() + 1);
    return options_.early_stop && bound <= finished_.back().score;
  }

  const BeamOptions& options_;
  const LengthPenalty& penalty_;
  int32_t end_;
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
  const LengthPenalty penalty(options.length_penalty, most_tokens(options, longest) + 1);
  const SearchRules rules(options, target);
  return search_together(
      decoding, batch,
      [&](int64_t sentence, int64_t source_tokens) {
        return std::make_unique<SentenceBeam>(rules, options, penalty, sentence, source_tokens);
      },
      target.size, threads);
}

}  // namespace smoothlab::eval
