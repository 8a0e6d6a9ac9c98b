#include "eval/next_tokens.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/vector_clones.h"

namespace smoothlab::eval {
namespace {

constexpr int64_t block = 64;

SMOOTHLAB_VECTOR_CLONES
bool any_above(const float* values, float limit) {
  int above = 0;
  for (int64_t k = 0; k < block; ++k) above |= values[k] > limit ? 1 : 0;
  return above != 0;
}

/// The largest so far, sorted.
class Best {
 public:
  Best(int64_t count, const std::vector<int32_t>& never, std::vector<Candidate>& best)
      : count_(static_cast<size_t>(count)), never_(never), best_(best) {
    best_.clear();
    best_.reserve(count_ + 1);
  }
  /// What does not exceed it is none of the largest: tokens come in rising order, and among equals the lower
  /// one stays.
  float limit() const {
    return best_.size() < count_ ? -std::numeric_limits<float>::infinity() : best_.back().logit;
  }
  void offer(float logit, int32_t token) {
    if (!(logit > limit()) || std::find(never_.begin(), never_.end(), token) != never_.end()) return;
    const auto place = std::upper_bound(best_.begin(), best_.end(), logit,
                                        [](float value, const Candidate& one) { return value > one.logit; });
    best_.insert(place, {logit, token});
    if (best_.size() > count_) best_.pop_back();
  }

 private:
  size_t count_;
  const std::vector<int32_t>& never_;
  std::vector<Candidate>& best_;
};

}  // namespace

std::vector<int32_t> tokens_without_text(const data::SpecialTokens& special) {
  std::vector<int32_t> tokens;
  for (const int32_t token : {special.padding, special.unknown, special.begin})
    if (token >= 0 && token != special.end) tokens.push_back(token);  // some begin with the end token
  return tokens;
}

void top_candidates(const float* logits, int64_t n, int64_t count, const std::vector<int32_t>& never,
                    std::vector<Candidate>& best) {
  Best kept(std::min(count, n), never, best);
  if (count < 1) return;
  int64_t begin = 0;
  for (; begin + block <= n; begin += block) {
    if (!any_above(logits + begin, kept.limit())) continue;
    for (int64_t k = begin; k < begin + block; ++k) kept.offer(logits[k], static_cast<int32_t>(k));
  }
  for (int64_t k = begin; k < n; ++k) kept.offer(logits[k], static_cast<int32_t>(k));
}

NextTokens next_tokens(const float* logits, int64_t n, double temperature, float* exponentials) {
  const RowKernels& kernels = row_kernels();
  const RowRank rank = kernels.rank(logits, n, 0);
  NextTokens next;
  next.finite = rank.finite;
  if (!next.finite) return next;
  next.maximum = rank.maximum;
  const auto beta = static_cast<float>(1 / temperature);
  next.inverse_temperature = static_cast<double>(beta);
  const RowSums sums = kernels.exponentials(logits, n, rank.maximum, beta, exponentials);
  next.log_sum = std::log(static_cast<double>(sums.ties) + sums.rest);
  return next;
}

}  // namespace smoothlab::eval
