#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/classwise_bins.h"
#include "eval/confidence_ranking.h"
#include "eval/logit_chunks.h"
#include "eval/sample_bootstrap.h"
#include "eval/temperature.h"

namespace smoothlab::eval {

/// Everything that is counted of a file's rows at one temperature. Memory does not grow with N beyond that
/// of ConfidenceRanking.
struct CalibrationTally {
  /// `edges`: the convention of the bootstrap's bins, where there is to be one; `sample_seed`: it resamples
  /// samples instead of rows.
  CalibrationTally(int64_t classes, int bins, std::optional<BinEdges> edges,
                   std::optional<uint64_t> sample_seed = std::nullopt);
  CalibrationSums sums;
  /// Rows whose confidence is 1 in single precision, the bin of their own that torchmetrics gives them.
  ReliabilityBins saturated{1};
  ClasswiseBins classwise;
  ConfidenceRanking ranking;
  std::optional<BinEdges> cell_edges;
  BootstrapCells cells;                    ///< empty without cell_edges, and where samples are resampled
  std::optional<SampleBootstrap> samples;  ///< where they are
};

/// Which of two halves a sample is in: a fair coin addressed by (seed, sample id), so that the halves do not
/// depend on the order of rows, and tokens of one sentence stay together.
int half_of(uint64_t seed, int64_t sample_id);

/// Slopes of the NLL summed over the rows of each half, and how many rows each has.
struct HalfSlopes {
  std::array<NllSlopes, 2> slopes;
  std::array<int64_t, 2> rows{};
};

/// A pass over a file: which temperatures to judge at (one of each half's own), where to count.
struct JudgedTemperature {
  std::array<double, 2> of_half;
  CalibrationTally* tally;
};

/// Streams the whole file through `threads` workers. Rows are counted chunk by chunk in the order of the
/// file, so results are bitwise the same on any number of threads. Slopes are taken if `slopes` is given.
/// `passed` is told, by one thread at a time, how many more rows were counted. Throws DataError for a bad
/// value, see check_chunk.
void calibration_pass(const LogitFile& file, int threads, uint64_t seed,
                      const std::vector<JudgedTemperature>& temperatures, SlopeNodes nodes,
                      HalfSlopes* slopes, const std::function<void(int64_t rows)>& passed = {});

}  // namespace smoothlab::eval
