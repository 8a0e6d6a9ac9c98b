#include "eval/row_judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace smoothlab::eval {
namespace {

/// log(1 + x), x ≥ 0, like std::log1p but several times as fast.
double log_of_one_and(double x) {
  if (x > 0.01) return std::log(1 + x);
  double sum = 0;
  for (int i = 8; i > 0; --i) sum = 1.0 / i - x * sum;
  return x * sum;
}

}  // namespace

RowJudge::RowJudge(int64_t classes, int bins)
    : classes_(classes), bins_(bins), exponentials_(classes), next_exponentials_(classes) {}

bool RowJudge::take(const float* logits, int64_t label) {
  next_beta_ = 0;
  logits_ = logits;
  label_ = label;
  const RowRank rank = row_kernels().rank(logits, classes_, label);
  maximum_ = rank.maximum;
  margin_ = static_cast<double>(logits[label]) - static_cast<double>(maximum_);
  before_ = rank.before;
  return rank.finite;
}

RowSums RowJudge::exponentials_at(double beta, double next) {
  if (next_beta_ == beta) {
    std::swap(exponentials_, next_exponentials_);
    next_beta_ = 0;
    return next_sums_;
  }
  const auto single = static_cast<float>(beta), single_next = static_cast<float>(next);
  if (next == 0 || std::abs(next - beta) > 0.99 * RowKernels::nearness * beta)
    return row_kernels().exponentials(logits_, classes_, maximum_, single, exponentials_.data());
  const RowSumsOfTwo sums = row_kernels().exponentials_of_two(
      logits_, classes_, maximum_, single, single_next, exponentials_.data(), next_exponentials_.data());
  next_sums_ = sums.second;
  next_beta_ = next;
  return sums.first;
}

const JudgedRow& RowJudge::judge(double beta, double next) {
  const RowSums sums = exponentials_at(beta, next);
  beta_ = beta;
  exact_sum_ = 0;
  const auto ties = static_cast<double>(sums.ties);
  const double sum = ties + sums.rest, margin = margin_ * beta;
  scale_ = 1 / sum;
  row_.correct = before_ == 0;
  row_.top5 = before_ < 5;
  row_.confidence = scale_;
  row_.nll = log_of_one_and(ties - 1 + sums.rest) - margin;
  const double truth = margin == 0 ? scale_ : std::exp(margin) * scale_;
  row_.brier = (ties + sums.squares) * scale_ * scale_ - 2 * truth + 1;
  if (near_edge(row_.confidence)) {
    row_.confidence = 1 / exact_sum();
    row_.standard = confidence_bin(row_.confidence, bins_, BinEdges::standard);
    row_.guo = confidence_bin(row_.confidence, bins_, BinEdges::guo);
  } else {
    row_.standard = row_.guo = bin_away_from_edges(row_.confidence);
  }
  return row_;
}

void RowJudge::add_to(CalibrationSums& sums) const {
  sums.rows += 1;
  sums.correct += row_.correct ? 1 : 0;
  sums.top5 += row_.top5 ? 1 : 0;
  sums.nll += row_.nll;
  sums.brier += row_.brier;
  sums.standard.add(row_.standard, row_.confidence, row_.correct);
  sums.guo.add(row_.guo, row_.confidence, row_.correct);
}

// The edge at 1 has the same bin on both sides, and 0 is not reached.
bool RowJudge::near_edge(double probability) const {
  const double place = probability * bins_;
  const int nearest = static_cast<int>(place + 0.5);
  return nearest > 0 && nearest < bins_ && std::abs(place - nearest) <= 2e-6 * place;
}

int RowJudge::bin_away_from_edges(double probability) const {
  return std::min(static_cast<int>(probability * bins_), bins_ - 1);
}

double RowJudge::exact_sum() {
  if (exact_sum_ == 0)
    for (int64_t k = 0; k < classes_; ++k)
      exact_sum_ += std::exp((static_cast<double>(logits_[k]) - static_cast<double>(maximum_)) * beta_);
  return exact_sum_;
}

double RowJudge::exact_probability(int64_t k) {
  return std::exp((static_cast<double>(logits_[k]) - static_cast<double>(maximum_)) * beta_) / exact_sum();
}

int RowJudge::probability_bin(int64_t k) {
  const double probability = static_cast<double>(exponentials_.data()[k]) * scale_;
  return near_edge(probability) ? confidence_bin(exact_probability(k), bins_, BinEdges::standard)
                                : bin_away_from_edges(probability);
}

void RowJudge::slopes(SlopeNodes nodes, double* first, double* second) const {
  const RowMoments moments = row_kernels().moments(logits_, classes_, maximum_, nodes);
  for (size_t node = 0; node < SlopeNodes::count; ++node) {
    const double mean = moments.first[node] / moments.zeroth[node];
    first[node] += mean - margin_;
    second[node] += moments.second[node] / moments.zeroth[node] - mean * mean;
  }
}

}  // namespace smoothlab::eval
