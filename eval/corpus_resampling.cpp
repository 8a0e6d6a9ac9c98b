#include "eval/corpus_resampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/numpy_draws.h"

namespace smoothlab::eval {
namespace {

/// Rounded as NumPy rounds sums: pairwise above 128 numbers, in eight lanes below.
double numpy_sum(const double* values, size_t count) {
  if (count < 8) return std::accumulate(values, values + count, -0.0);
  if (count <= 128) {
    double lanes[8];
    std::copy(values, values + 8, lanes);
    size_t i = 8;
    for (; i < count - count % 8; i += 8)
      for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += values[i + lane];
    const double sum =
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    return std::accumulate(values + i, values + count, sum);
  }
  const size_t half = count / 2 - count / 2 % 8;
  return numpy_sum(values, half) + numpy_sum(values + half, count - half);
}

double numpy_mean(const std::vector<double>& values) {
  return numpy_sum(values.data(), values.size()) / static_cast<double>(values.size());
}

/// With 64 bits and what they lose kept beside: more than doubles of 0 … 100 need.
double exact_mean(const std::vector<double>& values) {
  long double sum = 0, lost = 0;
  for (const long double value : values) {
    const long double next = sum + value;
    lost += std::fabs(sum) >= std::fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return static_cast<double>((sum + lost) / static_cast<long double>(values.size()));
}

}  // namespace

std::vector<double> CorpusStatistics::sums(size_t system) const {
  std::vector<double> sums(statistics);
  for (size_t segment = 0; segment < segments; ++segment)
    for (size_t i = 0; i < statistics; ++i) sums[i] += of(system, segment)[i];
  return sums;
}

std::vector<std::vector<double>> resampled_scores(const CorpusStatistics& corpus, const SegmentMetric& metric,
                                                  int resamples, uint64_t seed) {
  // Segment by segment, all systems beside each other: a drawn segment is one stretch of memory.
  const size_t width = corpus.systems * corpus.statistics;
  std::vector<float> rows(corpus.segments * width);
  for (size_t segment = 0; segment < corpus.segments; ++segment)
    for (size_t system = 0; system < corpus.systems; ++system)
      std::copy_n(corpus.of(system, segment), corpus.statistics,
                  rows.begin() + static_cast<int64_t>(segment * width + system * corpus.statistics));
  NumpyDraws draws(seed);
  std::vector<std::vector<double>> scores(corpus.systems);
  std::vector<float> sums(width);
  std::vector<double> wide(corpus.statistics);
  for (int resample = 0; resample < resamples; ++resample) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (size_t i = 0; i < corpus.segments; ++i) {
      const float* row = rows.data() + draws.below(static_cast<uint32_t>(corpus.segments)) * width;
      for (size_t k = 0; k < width; ++k) sums[k] += row[k];
    }
    for (size_t system = 0; system < corpus.systems; ++system) {
      std::copy_n(sums.begin() + static_cast<int64_t>(system * corpus.statistics), corpus.statistics,
                  wide.begin());
      scores[system].push_back(metric.score(wide.data(), Arithmetic::resampled));
    }
  }
  return scores;
}

ResampledScore resampled_score(std::vector<double> scores, MeanRounding rounding) {
  std::sort(scores.begin(), scores.end());
  const size_t tail = scores.size() / 40;
  return {rounding == MeanRounding::numpy ? numpy_mean(scores) : exact_mean(scores),
          0.5 * (scores[scores.size() - tail - 1] - scores[tail])};
}

double paired_p_value(const std::vector<double>& baseline, const std::vector<double>& system,
                      double difference) {
  std::vector<double> gaps(baseline.size());
  std::transform(system.begin(), system.end(), baseline.begin(), gaps.begin(),
                 [](double a, double b) { return std::fabs(a - b); });
  const double mean = numpy_mean(gaps);
  const auto above =
      std::count_if(gaps.begin(), gaps.end(), [&](double gap) { return gap - mean > difference; });
  return static_cast<double>(above + 1) / static_cast<double>(gaps.size() + 1);
}

}  // namespace smoothlab::eval
