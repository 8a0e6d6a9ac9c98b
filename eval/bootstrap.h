#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace smoothlab::eval {

struct Interval {
  double low = 0, high = 0;
};

/// Percentile interval (Efron), `level` in (0, 1), of what `resampled` gives for each of `replicates` ≥ 1,
/// which are shared among threads.
Interval percentile_interval(int replicates, double level, int threads,
                             const std::function<double(int replicate)>& resampled);

/// What the bootstrap of an ECE needs to know of any number of rows. A resampled ECE depends on a row only by
/// its bin, its confidence and whether it is right. Rows are therefore counted in cells: each bin is cut into
/// 32 slices of confidence, and right and wrong rows are apart; a cell keeps its mean confidence. The spread
/// of confidence inside a slice, 1/(32·bins) wide, is all that is left out.
class BootstrapCells {
 public:
  explicit BootstrapCells(int bins);
  /// `bin` by the convention wanted; −1 (in no bin) still counts as a row.
  void add(int bin, double confidence, bool correct);

  /// Percentile interval (Efron) of the ECE, `level` in (0, 1), of `replicates` ≥ 1 resamples of N rows with
  /// replacement, N that were added (≥ 1). Counts of cells are drawn from their multinomial distribution,
  /// which is that of drawing rows one by one, so the time does not depend on N. A pure function of the rows
  /// and (seed, replicates, level), on any number of threads. As ECE is biased upwards, more so when N is
  /// small, so is its interval.
  Interval ece(int replicates, uint64_t seed, double level = 0.95, int threads = 1) const;

 private:
  struct Cell {
    double rows = 0, confidence = 0;
  };
  double resampled_ece(uint64_t seed, int replicate) const;

  int bins_;
  double rows_ = 0;
  std::vector<Cell> cells_;  // [bins + 1, slices, correct]
};

/// A number of successes out of n trials of probability p, from the random address (seed, replicate): draws
/// begin at `draw`, which is moved past those used. Exact (inversion, Hörmann's BTRS where n·p is large).
int64_t binomial(int64_t n, double p, uint64_t seed, uint64_t replicate, uint32_t& draw);

}  // namespace smoothlab::eval
