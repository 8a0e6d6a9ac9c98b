#include "eval/translation_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "cluster/build_info.h"
#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

SystemScore score_of(const SegmentMetric& metric, const std::vector<double>& sums) {
  SystemScore result;
  result.score = metric.score(sums.data(), Arithmetic::exact);
  result.details = metric.details(sums.data());
  result.by_name = metric.details_json(sums.data());
  return result;
}

void add_resampled(const CorpusStatistics& corpus, const SegmentMetric& metric, const ScoringOptions& options,
                   std::vector<SystemScore>& systems) {
  const auto scores = resampled_scores(corpus, metric, options.resamples, options.seed);
  const auto rounding = systems.size() == 1 ? MeanRounding::exact : MeanRounding::numpy;
  for (size_t i = 0; i < systems.size(); ++i) {
    systems[i].resampled = resampled_score(scores[i], rounding);
    if (i > 0)
      systems[i].p_value =
          paired_p_value(scores[0], scores[i], std::fabs(systems[0].score - systems[i].score));
  }
}

MetricScores scores_by(SegmentMetric& metric, const TranslatedCorpus& corpus, const ScoringOptions& options) {
  const CorpusStatistics statistics = count_corpus(corpus, metric);
  MetricScores result;
  result.name = metric.name();
  const std::string resampling =
      options.resamples > 0 ? fmt::format("bs:{}|seed:{}|", options.resamples, options.seed) : "";
  result.signature = fmt::format("nrefs:{}|{}{}|version:{}", corpus.reference_count(), resampling,
                                 metric.settings(), signature_version());
  for (size_t system = 0; system < statistics.systems; ++system) {
    result.systems.push_back(score_of(metric, statistics.sums(system)));
    if (!options.each_segment) continue;
    auto& segments = result.segments.emplace_back();
    for (size_t i = 0; i < statistics.segments; ++i) {
      const int32_t* counts = statistics.of(system, i);
      segments.push_back(score_of(metric, {counts, counts + statistics.statistics}));
    }
  }
  if (options.resamples > 0) add_resampled(statistics, metric, options, result.systems);
  return result;
}

/// Of unequal lists counting would read beyond the shorter.
void check(const TranslatedCorpus& corpus) {
  const size_t segments = corpus.references.size();
  if (corpus.system_names.size() != corpus.systems.size())
    throw DataError(fmt::format("{} systems and {} names", corpus.systems.size(), corpus.system_names.size()),
                    "the corpus", "name each system");
  for (size_t i = 0; i < corpus.systems.size(); ++i)
    if (corpus.systems[i].size() != segments)
      throw DataError(fmt::format("{} hypotheses and {} references", corpus.systems[i].size(), segments),
                      corpus.system_names[i], "give one of each a segment");
  for (size_t i = 0; i < segments; ++i)
    if (corpus.references[i].empty())
      throw DataError("a segment without a reference", fmt::format("segment {}", i + 1),
                      "give each segment one at least");
}

}  // namespace

std::string TranslatedCorpus::reference_count() const {
  std::set<size_t> counts;
  for (const auto& segment : references) counts.insert(segment.size());
  return counts.size() == 1 ? std::to_string(*counts.begin()) : "var";
}

std::string signature_version() {
  const std::string version = cluster::code_version();
  return "smoothlab-" + version.substr(0, version.find('+'));
}

CorpusStatistics count_corpus(const TranslatedCorpus& corpus, SegmentMetric& metric) {
  check(corpus);
  CorpusStatistics result{corpus.systems.size(), corpus.references.size(), metric.statistics(), {}};
  result.counts.resize(result.systems * result.segments * result.statistics);
  std::vector<std::string_view> hypotheses(result.systems);
  std::vector<int32_t> counts(result.systems * result.statistics);
  for (size_t segment = 0; segment < result.segments; ++segment) {
    for (size_t system = 0; system < result.systems; ++system)
      hypotheses[system] = corpus.systems[system][segment];
    metric.count(hypotheses, corpus.references[segment], counts.data());
    for (size_t system = 0; system < result.systems; ++system)
      std::copy_n(counts.begin() + static_cast<int64_t>(system * result.statistics), result.statistics,
                  result.counts.begin() +
                      static_cast<int64_t>((system * result.segments + segment) * result.statistics));
  }
  return result;
}

TranslationScores score_translations(const TranslatedCorpus& corpus, const ScoringOptions& options) {
  if (options.resamples != 0 && (options.resamples < 2 || options.resamples > 1000000))
    throw UsageError(fmt::format("{} resamples", options.resamples), "resamples", "give 2 to 1000000");
  TranslationScores result;
  result.system_names = corpus.system_names;
  result.segments = corpus.references.size();
  result.references = corpus.reference_count();
  std::vector<std::unique_ptr<SegmentMetric>> metrics;
  if (options.bleu) metrics.push_back(std::make_unique<Bleu>(*options.bleu));
  if (options.chrf) metrics.push_back(std::make_unique<Chrf>(*options.chrf));
  for (const auto& metric : metrics) result.metrics.push_back(scores_by(*metric, corpus, options));
  return result;
}

}  // namespace smoothlab::eval
