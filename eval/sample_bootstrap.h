#pragma once

#include <cstdint>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/logit_file.h"

namespace smoothlab::eval {

/// Whether two rows of a file have the same sample id, as tokens of one sentence have. Where ids are not in
/// ascending order this takes 8 bytes a row for a moment. Throws DataError.
bool samples_repeat(const LogitFile& file);

/// The bootstrap of an ECE whose rows are not independent: whole samples are resampled (a cluster bootstrap).
/// Samples are first put together at random into up to 2048 groups, addressed by (seed, sample id), and it is
/// groups that are drawn: sums over resampled groups have the variance that sums over resampled samples have,
/// up to 1/√2048 of it or so, while memory and time do not depend on the number of samples, and their rows
/// may stand in any order.
class SampleBootstrap {
 public:
  SampleBootstrap(int bins, uint64_t seed);
  /// `bin` by the convention wanted; −1 (in no bin) still counts as a row.
  void add(int64_t sample_id, int bin, double confidence, bool correct);
  /// Percentile interval as BootstrapCells::ece; a resample has as many groups, and may have more or fewer
  /// rows. All that were added in one sample: an interval of no width.
  Interval ece(int replicates, double level = 0.95, int threads = 1) const;

 private:
  double resampled_ece(const std::vector<size_t>& filled, int replicate) const;

  size_t bins_;
  uint64_t seed_;
  std::vector<double> rows_;         // [groups]
  std::vector<double> differences_;  // [groups, bins]: Σ right − confidence
};

}  // namespace smoothlab::eval
