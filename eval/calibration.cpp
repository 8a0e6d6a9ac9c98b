#include "eval/calibration.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "cluster/error.h"
#include "eval/row_judge.h"

namespace smoothlab::eval {
namespace {

void add_all(std::vector<double>& into, const std::vector<double>& other) {
  for (size_t i = 0; i < into.size(); ++i) into[i] += other[i];
}

[[noreturn]] void reject(const std::string& what, int64_t row) {
  throw DataError(what, "row " + std::to_string(row) + " of the rows being judged",
                  "check the model's output and the labels it is compared with");
}

void check_label(int64_t label, int64_t classes, int64_t row) {
  if (label < 0 || label >= classes)
    reject("label " + std::to_string(label) + " outside 0.." + std::to_string(classes - 1), row);
}

[[noreturn]] void reject_logits(const float* logits, int64_t row) {
  int64_t k = 0;
  while (std::isfinite(logits[k])) ++k;
  reject("logit of class " + std::to_string(k) + " is not finite", row);
}

}  // namespace

ReliabilityBins::ReliabilityBins(int bins) {
  if (bins < 1)
    throw UsageError("number of bins must be at least 1", std::to_string(bins), "15 is the usual one");
  count.resize(static_cast<size_t>(bins));
  confidence.resize(static_cast<size_t>(bins));
  correct.resize(static_cast<size_t>(bins));
}

void ReliabilityBins::merge(const ReliabilityBins& other) {
  if (other.count.size() != count.size())
    throw UsageError("histograms of " + std::to_string(count.size()) + " and " +
                         std::to_string(other.count.size()) + " bins cannot be merged",
                     "calibration", "use one number of bins");
  add_all(count, other.count);
  add_all(confidence, other.confidence);
  add_all(correct, other.correct);
}

void ReliabilityBins::clear() {
  for (auto* values : {&count, &confidence, &correct}) std::fill(values->begin(), values->end(), 0.0);
}

double ReliabilityBins::expected_error(double rows) const {
  double sum = 0;
  for (size_t b = 0; b < count.size(); ++b) sum += std::abs(correct[b] - confidence[b]);
  return sum / rows;
}

double ReliabilityBins::maximum_error() const {
  double most = 0;
  for (size_t b = 0; b < count.size(); ++b)
    if (count[b] > 0) most = std::max(most, std::abs(correct[b] - confidence[b]) / count[b]);
  return most;
}

int confidence_bin(double confidence, int bins, BinEdges edges) {
  int b = std::min(static_cast<int>(confidence * bins), bins - 1);
  if (edges == BinEdges::standard) {
    // The product above may be off by one rounding; b / bins is the edge, correctly rounded.
    while (b > 0 && confidence < static_cast<double>(b) / bins) --b;
    while (b < bins - 1 && confidence >= static_cast<double>(b + 1) / bins) ++b;
    return b;
  }
  if (confidence <= 0) return -1;
  while (b > 0 && confidence <= static_cast<double>(b) / bins) --b;
  while (b < bins - 1 && confidence > static_cast<double>(b + 1) / bins) ++b;
  return b;
}

void ReliabilityBins::add(int bin, double row_confidence, bool row_correct) {
  if (bin < 0) return;
  const auto b = static_cast<size_t>(bin);
  count[b] += 1;
  confidence[b] += row_confidence;
  correct[b] += row_correct ? 1 : 0;
}

void CalibrationSums::merge(const CalibrationSums& other) {
  standard.merge(other.standard);
  guo.merge(other.guo);
  rows += other.rows;
  correct += other.correct;
  top5 += other.top5;
  nll += other.nll;
  brier += other.brier;
}

void CalibrationSums::clear() {
  rows = correct = top5 = nll = brier = 0;
  standard.clear();
  guo.clear();
}

double CalibrationSums::ece(BinEdges edges) const {
  return (edges == BinEdges::standard ? standard : guo).expected_error(rows);
}

std::vector<double> CalibrationSums::pack() const {
  std::vector<double> packed{rows, correct, top5, nll, brier};
  for (const ReliabilityBins* bins : {&standard, &guo})
    for (const auto* part : {&bins->count, &bins->confidence, &bins->correct})
      packed.insert(packed.end(), part->begin(), part->end());
  return packed;
}

void CalibrationSums::unpack(const std::vector<double>& packed) {
  const size_t bins = standard.count.size();
  if (packed.size() != 5 + 6 * bins)
    throw UsageError(
        "packed sums have " + std::to_string(packed.size()) + " numbers, not " + std::to_string(5 + 6 * bins),
        "calibration", "use one number of bins on all ranks");
  rows = packed[0];
  correct = packed[1];
  top5 = packed[2];
  nll = packed[3];
  brier = packed[4];
  auto from = packed.begin() + 5;
  for (ReliabilityBins* part : {&standard, &guo})
    for (auto* values : {&part->count, &part->confidence, &part->correct}) {
      std::copy(from, from + static_cast<std::ptrdiff_t>(bins), values->begin());
      from += static_cast<std::ptrdiff_t>(bins);
    }
}

void accumulate_calibration(const float* logits, const int64_t* labels, int64_t n, int64_t classes,
                            double temperature, CalibrationSums& sums) {
  if (classes < 2)
    throw DataError("calibration needs at least 2 classes, there is " + std::to_string(classes), "logits",
                    "give logits of shape [rows, classes]");
  if (!(temperature > 0) || !std::isfinite(temperature))
    throw UsageError("temperature must be positive and finite", std::to_string(temperature),
                     "1 leaves logits as they are");
  RowJudge judge(classes, static_cast<int>(sums.standard.count.size()));
  for (int64_t i = 0; i < n; ++i) {
    check_label(labels[i], classes, i);
    if (!judge.take(logits + i * classes, labels[i])) reject_logits(logits + i * classes, i);
    judge.judge(1 / temperature);
    judge.add_to(sums);
  }
}

}  // namespace smoothlab::eval
