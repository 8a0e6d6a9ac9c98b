#include "eval/token_sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

/// The first of `count` weights that, with those before it, exceeds this share of their sum.
template <typename Weight>
size_t drawn(const Weight* weights, size_t count, double sum, double share) {
  double so_far = 0;
  size_t last = 0;  // for rounding, should it leave none
  for (size_t i = 0; i < count; ++i) {
    if (weights[i] > 0) last = i;
    so_far += weights[i];
    if (share * sum < so_far) break;
  }
  return last;
}

/// What the next token of a lane is drawn from: all tokens in their order, or some in falling order of their
/// probability.
class Lot {
 public:
  /// weights: of all tokens; those of `never` become 0.
  void of_all(float* weights, int64_t classes, const std::vector<int32_t>& never) {
    top_.clear();
    all_ = weights;
    count_ = static_cast<size_t>(classes);
    for (const int32_t token : never) weights[token] = 0;
    sum_ = 0;
    for (size_t k = 0; k < count_; ++k) sum_ += weights[k];
  }
  void of_top(const NextTokens& next, const std::vector<Candidate>& candidates) {
    top_ = candidates;
    top_weights_.clear();
    sum_ = 0;
    for (const Candidate& one : top_) {
      top_weights_.push_back(
          std::exp(next.log_probability(one.logit) - next.log_probability(top_.front().logit)));
      sum_ += top_weights_.back();
    }
  }
  bool empty() const { return sum_ == 0; }
  int32_t draw(double uniform) const {
    if (top_.empty()) return static_cast<int32_t>(drawn(all_, count_, sum_, uniform));
    return top_[drawn(top_weights_.data(), top_.size(), sum_, uniform)].token;
  }

 private:
  const float* all_ = nullptr;
  size_t count_ = 0;
  std::vector<Candidate> top_;
  std::vector<double> top_weights_;
  double sum_ = 0;
};

class SentenceSamples : public SentenceSearch {
 public:
  SentenceSamples(const SearchRules& rules, const SamplingOptions& options, int64_t sentence,
                  int64_t source_tokens)
      : SentenceSearch(rules, sentence, source_tokens),
        options_(options),
        end_(rules.target.special.end),
        samples_(static_cast<size_t>(options.n)) {
    // All draws go on from the one lane that there is at the start.
    for (int64_t draw = 0; draw < options.n; ++draw) live_.push_back({draw, 0});
  }

  std::vector<Hypothesis> results() override { return std::move(samples_); }

 private:
  /// A draw that has not ended, and the lane whose logits it takes.
  struct Live {
    int64_t draw, lane;
  };

  void choose(const float* logits, SearchScratch& scratch) override {
    std::vector<Live> next;
    const std::vector<Live> now = std::move(live_);
    stop();
    NextTokens distribution;
    Lot lot;
    int64_t lane = -1;
    for (const Live& one : now) {
      const float* row = row_of(logits, one.lane);
      if (one.lane != lane) {
        lane = one.lane;
        distribution = next_of(row, scratch);
        if (!at_longest()) lay_out(row, distribution, scratch, lot);
      }
      const int32_t token = at_longest() || lot.empty() ? end_ : lot.draw(uniform(one.draw));
      Hypothesis& sample = samples_[static_cast<size_t>(one.draw)];
      sample.log_probability += distribution.log_probability(row[token]);
      if (token == end_) {
        sample.score = sample.log_probability;
        sample.cut = at_longest();
        continue;
      }
      sample.tokens.push_back(token);
      next.push_back({one.draw, static_cast<int64_t>(next.size())});
      go_on(one.lane, token);
    }
    live_ = std::move(next);
  }

  void lay_out(const float* row, const NextTokens& distribution, SearchScratch& scratch, Lot& lot) const {
    if (options_.top_k == 0) {
      lot.of_all(scratch.exponentials.data(), scratch.classes, never());
      if (!lot.empty()) return;
      // Tokens that may not come have so much of the probability that nothing is left in float32; among
      // themselves the others have theirs all the same.
    }
    const int64_t count = options_.top_k == 0 ? scratch.classes : options_.top_k;
    top_candidates(row, scratch.classes, count, never(), scratch.candidates);
    lot.of_top(distribution, scratch.candidates);
  }

  double uniform(int64_t draw) const {
    return AddressedRandom(options_.seed, Purpose::token_sampling, static_cast<uint64_t>(draw),
                           static_cast<uint64_t>(sentence()))
        .uniform(static_cast<uint32_t>(tokens_so_far()));
  }

  const SamplingOptions& options_;
  int32_t end_;
  std::vector<Live> live_;
  std::vector<Hypothesis> samples_;
};

}  // namespace

void check(const SamplingOptions& options) {
  check(static_cast<const SearchOptions&>(options));
  if (options.n > 10000)
    throw UsageError(fmt::format("{} samples a sentence", options.n), "n-best", "ask for 10000 at most");
  if (options.top_k < 0)
    throw UsageError(fmt::format("the {} most probable tokens", options.top_k), "top-k",
                     "give 0 for all, or more");
}

std::vector<std::vector<Hypothesis>> sample_translations(models::Decoding& decoding, const SearchBatch& batch,
                                                         const data::Vocabulary& target,
                                                         const SamplingOptions& options, int threads) {
  check(options);
  const SearchRules rules(options, target);
  return search_together(
      decoding, batch,
      [&](int64_t sentence, int64_t source_tokens) {
        return std::make_unique<SentenceSamples>(rules, options, sentence, source_tokens);
      },
      target.size, threads);
}

}  // namespace smoothlab::eval
