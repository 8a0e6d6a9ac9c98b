#include "eval/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/unicode_text.h"

namespace smoothlab::eval {
namespace {

constexpr std::array<std::pair<const char*, Smoothing>, 4> all_smoothings = {{{"exp", Smoothing::exponential},
                                                                              {"floor", Smoothing::floor},
                                                                              {"add-k", Smoothing::add_k},
                                                                              {"none", Smoothing::none}}};

double smooth_value(const BleuOptions& options) {
  return options.smooth_value.value_or(options.smoothing == Smoothing::floor ? 0.1 : 1);
}

BleuStatistics statistics_of(const double* sums, size_t order) {
  return {sums[0], sums[1], {sums + 2, sums + 2 + order}, {sums + 2 + order, sums + 2 + 2 * order}};
}

/// sacreBLEU's logarithm of 0.
double floored_log(double x) {
  return x == 0 ? -9999999999.0 : std::log(x);
}

int64_t closest_length(int64_t length, const std::vector<int64_t>& references) {
  int64_t closest = references.front();
  for (const int64_t other : references) {
    const int64_t gap = std::abs(length - other), least = std::abs(length - closest);
    if (gap < least || (gap == least && other < closest)) closest = other;
  }
  return closest;
}

}  // namespace

Smoothing smoothing(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [known, result] : all_smoothings) {
    if (name == known) return result;
    names.emplace_back(known);
  }
  throw UsageError("unknown smoothing '" + name + "'", where, suggest_name(name, names));
}

double BleuScore::ratio() const {
  return statistics.reference_length > 0 ? statistics.hypothesis_length / statistics.reference_length : 0;
}

BleuScore bleu_score(BleuStatistics statistics, const BleuOptions& options, Arithmetic arithmetic) {
  BleuScore result;
  result.precisions.assign(options.order, 0.0);
  const double ours = statistics.hypothesis_length, theirs = statistics.reference_length;
  result.brevity_penalty = 1;
  if (ours < theirs) result.brevity_penalty = ours > 0 ? std::exp(1 - theirs / ours) : 0;
  auto& correct = statistics.correct;
  auto& total = statistics.total;
  const double value = smooth_value(options);
  const auto add = [&](double& sum) {
    sum += value;
    if (arithmetic == Arithmetic::resampled) sum = static_cast<double>(static_cast<float>(sum));
  };
  if (std::any_of(correct.begin(), correct.end(), [](double count) { return count != 0; })) {
    double halving = 1;
    size_t effective = options.order;
    for (size_t n = 0; n < options.order; ++n) {
      if (options.smoothing == Smoothing::add_k && n > 0) {
        add(correct[n]);
        add(total[n]);
      }
      if (total[n] == 0) break;
      if (options.effective_order) effective = n + 1;
      if (correct[n] != 0) {
        result.precisions[n] = 100. * correct[n] / total[n];
      } else if (options.smoothing == Smoothing::exponential) {
        halving *= 2;
        result.precisions[n] = 100. / (halving * total[n]);
      } else if (options.smoothing == Smoothing::floor) {
        result.precisions[n] = 100. * value / total[n];
      }
    }
    double logarithms = 0;
    for (size_t n = 0; n < effective; ++n) logarithms += floored_log(result.precisions[n]);
    result.score = result.brevity_penalty * std::exp(logarithms / static_cast<double>(effective));
  }
  result.statistics = std::move(statistics);
  return result;
}

Bleu::Bleu(const BleuOptions& options)
    : options_(options), hypothesis_tokenizer_(options.tokenization), ngrams_(options.order) {
  if (options.order < 1 || options.order > 16)
    throw UsageError(fmt::format("BLEU of n-grams up to {}", options.order), "order", "give 1 to 16");
  if (options.smooth_value && !(*options.smooth_value >= 0))
    throw UsageError(fmt::format("a smoothing value of {}", *options.smooth_value), "smooth value",
                     "give a number of 0 or more");
}

std::string Bleu::settings() const {
  const auto* smoothing = std::find_if(all_smoothings.begin(), all_smoothings.end(),
                                       [&](const auto& known) { return known.second == options_.smoothing; });
  std::string text =
      fmt::format("case:{}|eff:{}|tok:{}|smooth:{}", options_.lowercase ? "lc" : "mixed",
                  options_.effective_order ? "yes" : "no", name_of(options_.tokenization), smoothing->first);
  if (options_.smoothing == Smoothing::floor || options_.smoothing == Smoothing::add_k)
    text += fmt::format("[{:.2f}]", smooth_value(options_));
  return text;
}

const std::vector<std::string_view>& Bleu::tokens(SegmentTokenizer& tokenizer, std::string_view segment) {
  if (options_.lowercase) segment = lowered_.emplace_back(lower_case(segment));
  return tokenizer(right_stripped(segment));
}

void Bleu::count(const std::vector<std::string_view>& hypotheses,
                 const std::vector<std::string_view>& references, int32_t* out) {
  while (reference_tokenizers_.size() < references.size())
    reference_tokenizers_.emplace_back(options_.tokenization);
  lowered_.clear();
  lowered_.reserve(references.size() + hypotheses.size());  // words point into them
  std::vector<const std::vector<std::string_view>*> cut;
  std::vector<int64_t> lengths;
  size_t words = 0;
  for (size_t i = 0; i < references.size(); ++i) {
    cut.push_back(&tokens(reference_tokenizers_[i], references[i]));
    lengths.push_back(static_cast<int64_t>(cut.back()->size()));
    words += cut.back()->size();
  }
  words_.begin(words);
  ngrams_.begin(words);
  for (const auto* reference : cut) {
    symbols_.clear();
    for (const auto word : *reference) symbols_.push_back(words_.add(word));
    ngrams_.add_reference(symbols_);
  }
  for (size_t i = 0; i < hypotheses.size(); ++i, out += statistics()) {
    symbols_.clear();
    for (const auto word : tokens(hypothesis_tokenizer_, hypotheses[i]))
      symbols_.push_back(words_.find(word));
    const auto length = static_cast<int64_t>(symbols_.size());
    std::fill(out, out + statistics(), 0);
    out[0] = static_cast<int32_t>(length);
    out[1] = static_cast<int32_t>(closest_length(length, lengths));
    ngrams_.match(symbols_, out + 2);
    for (size_t n = 0; n < options_.order; ++n)
      out[2 + options_.order + n] =
          static_cast<int32_t>(std::max<int64_t>(length - static_cast<int64_t>(n), 0));
  }
}

double Bleu::score(const double* sums, Arithmetic arithmetic) const {
  return bleu_score(statistics_of(sums, options_.order), options_, arithmetic).score;
}

std::string Bleu::details(const double* sums) const {
  const BleuScore score = bleu_score(statistics_of(sums, options_.order), options_);
  std::vector<std::string> precisions;
  for (const double precision : score.precisions) precisions.push_back(fmt::format("{:.1f}", precision));
  return fmt::format("{} (BP = {:.3f} ratio = {:.3f} hyp_len = {:.0f} ref_len = {:.0f})",
                     fmt::join(precisions, "/"), score.brevity_penalty, score.ratio(),
                     score.statistics.hypothesis_length, score.statistics.reference_length);
}

nlohmann::json Bleu::details_json(const double* sums) const {
  const BleuScore score = bleu_score(statistics_of(sums, options_.order), options_);
  const BleuStatistics counted = statistics_of(sums, options_.order);
  const auto whole = [](const std::vector<double>& counts) {
    return std::vector<int64_t>(counts.begin(), counts.end());
  };
  return {{"precisions", score.precisions},
          {"counts", whole(counted.correct)},
          {"totals", whole(counted.total)},
          {"bp", score.brevity_penalty},
          {"ratio", score.ratio()},
          {"hyp_len", static_cast<int64_t>(counted.hypothesis_length)},
          {"ref_len", static_cast<int64_t>(counted.reference_length)}};
}

bool looks_tokenized(const std::vector<std::string_view>& hypotheses) {
  return std::count_if(hypotheses.begin(), hypotheses.end(), [](std::string_view segment) {
           return segment.size() >= 2 && segment.substr(segment.size() - 2) == " .";
         }) >= 100;
}

}  // namespace smoothlab::eval
