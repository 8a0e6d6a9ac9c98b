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

struct Rules {
  const SamplingOptions& options;
  const data::Vocabulary& target;
  std::vector<int32_t> never, never_yet;
};

bool holds(const std::vector<int32_t>& few, int32_t token) {
  return std::find(few.begin(), few.end(), token) != few.end();
}

class SentenceSamples : public SentenceSearch {
 public:
  SentenceSamples(const Rules& rules, int64_t sentence, int64_t source_tokens)
      : SentenceSearch(rules.target.special.begin),
        rules_(rules),
        sentence_(sentence),
        most_tokens_(source_tokens + rules.options.longest_extra),
        samples_(static_cast<size_t>(rules.options.n)) {
    // All draws go on from the one lane that there is at the start.
    for (int64_t draw = 0; draw < rules.options.n; ++draw) live_.push_back({draw, 0});
  }

  void advance(const float* logits, SearchScratch& scratch) override {
    std::vector<Live> next;
    const std::vector<Live> now = std::move(live_);
    parents_.clear();
    tokens_.clear();
    NextTokens distribution;
    int64_t lane = -1;
    for (const Live& one : now) {
      const float* row = logits + one.lane * rules_.target.size;
      if (one.lane != lane) {
        distribution = finite_next_tokens(row, rules_.target.size, rules_.options.temperature, scratch,
                                          sentence_, tokens_so_far_);
        lane = one.lane;
      }
      const int32_t token = choose(row, distribution, one.draw, scratch);
      Hypothesis& sample = samples_[static_cast<size_t>(one.draw)];
      sample.log_probability += distribution.log_probability(row[token]);
      if (token == rules_.target.special.end) {
        sample.score = sample.log_probability;
        sample.cut = tokens_so_far_ == most_tokens_;
        continue;
      }
      sample.tokens.push_back(token);
      next.push_back({one.draw, static_cast<int64_t>(next.size())});
      parents_.push_back(one.lane);
      tokens_.push_back(token);
    }
    live_ = std::move(next);
    ++tokens_so_far_;
  }

  std::vector<Hypothesis> results() override { return std::move(samples_); }

 private:
  /// A draw that has not ended, and the lane whose logits it takes.
  struct Live {
    int64_t draw, lane;
  };

  int32_t choose(const float* row, const NextTokens& distribution, int64_t draw,
                 SearchScratch& scratch) const {
    if (tokens_so_far_ == most_tokens_) return rules_.target.special.end;
    const AddressedRandom random(rules_.options.seed, Purpose::token_sampling, static_cast<uint64_t>(draw),
                                 static_cast<uint64_t>(sentence_));
    const double uniform = random.uniform(static_cast<uint32_t>(tokens_so_far_));
    const auto& never = tokens_so_far_ < rules_.options.shortest ? rules_.never_yet : rules_.never;
    return rules_.options.top_k > 0
               ? among_top(row, distribution, rules_.options.top_k, uniform, never, scratch)
               : among_all(row, distribution, uniform, never, scratch);
  }

  int32_t among_all(const float* row, const NextTokens& distribution, double uniform,
                    const std::vector<int32_t>& never, SearchScratch& scratch) const {
    const float* weights = scratch.exponentials.data();
    const auto n = static_cast<int32_t>(rules_.target.size);
    const auto weight = [&](int32_t k) { return holds(never, k) ? 0.0 : static_cast<double>(weights[k]); };
    double total = 0;
    for (int32_t k = 0; k < n; ++k) total += weight(k);
    // Tokens that may not come have so much of the probability that nothing is left in float32.
    if (total == 0) return among_top(row, distribution, 1, uniform, never, scratch);
    int32_t last = 0;
    double sum = 0;
    for (int32_t k = 0; k < n; ++k) {
      if (weight(k) == 0) continue;
      last = k;
      sum += weight(k);
      if (uniform * total < sum) break;
    }
    return last;
  }

  int32_t among_top(const float* row, const NextTokens& distribution, int64_t count, double uniform,
                    const std::vector<int32_t>& never, SearchScratch& scratch) const {
    top_candidates(row, rules_.target.size, count, never, scratch.candidates);
    const auto& top = scratch.candidates;
    if (top.empty()) return rules_.target.special.end;
    const auto weight = [&](const Candidate& one) {
      return std::exp(distribution.log_probability(one.logit) -
                      distribution.log_probability(top.front().logit));
    };
    double total = 0;
    for (const Candidate& one : top) total += weight(one);
    double sum = 0;
    for (const Candidate& one : top) {
      sum += weight(one);
      if (uniform * total < sum) return one.token;
    }
    return top.back().token;
  }

  const Rules& rules_;
  int64_t sentence_, most_tokens_, tokens_so_far_ = 0;
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
  Rules rules{options, target, tokens_without_text(target.special), {}};
  rules.never_yet = rules.never;
  rules.never_yet.push_back(target.special.end);
  std::vector<std::unique_ptr<SentenceSearch>> searches;
  for (size_t i = 0; i < batch.source_tokens.size(); ++i)
    searches.push_back(std::make_unique<SentenceSamples>(rules, batch.ids[i], batch.source_tokens[i]));
  return search_together(decoding, searches, target.size, threads);
}

}  // namespace smoothlab::eval
