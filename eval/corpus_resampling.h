#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "eval/segment_metric.h"

namespace smoothlab::eval {

/// Statistics of all segments of several systems by one metric: [system, segment, statistic].
struct CorpusStatistics {
  size_t systems = 0, segments = 0, statistics = 0;
  std::vector<int32_t> counts;

  const int32_t* of(size_t system, size_t segment) const {
    return counts.data() + (system * segments + segment) * statistics;
  }
  /// Over segments, exact.
  std::vector<double> sums(size_t system) const;
};

/// What resampled corpora tell about a score.
struct ResampledScore {
  double mean = 0;        ///< of the resamples' scores
  double half_width = 0;  ///< of the interval that holds 95 % of them
};

/// Scores of resampled corpora, [system][resample]: each has as many segments as the corpus, drawn with
/// replacement, the same for all systems (Koehn 2004, "Statistical significance tests for machine translation
/// evaluation"). Draws are NumpyDraws(seed), sums and scores Arithmetic::resampled, so that the numbers are
/// sacreBLEU's with NumPy 1. `resamples` ≥ 1, fewer than 2^32 segments.
std::vector<std::vector<double>> resampled_scores(const CorpusStatistics& corpus, const SegmentMetric& metric,
                                                  int resamples, uint64_t seed);

/// How a mean of resamples is rounded: as Python's statistics.mean (exact, rounded once), which sacreBLEU
/// takes for one system, or as NumPy's mean, which it takes for paired ones. They differ in the last bit at
/// most.
enum class MeanRounding { exact, numpy };
ResampledScore resampled_score(std::vector<double> scores, MeanRounding rounding);

/// Two-sided p-value of the paired bootstrap: (c + 1)/(n + 1), where c counts the resamples whose
/// |difference| exceeds its mean over resamples by more than the |difference| of the whole corpus. Both have
/// n scores.
double paired_p_value(const std::vector<double>& baseline, const std::vector<double>& system,
                      double difference);

}  // namespace smoothlab::eval
