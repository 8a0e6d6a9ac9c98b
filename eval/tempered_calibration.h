#pragma once

#include <cstdint>
#include <vector>

#include "cluster/communicator.h"
#include "eval/calibration.h"

namespace smoothlab::eval {

/// Calibration of the same rows at several temperatures at once, without keeping the rows: what a logit file
/// and a pass over it for each temperature would give.
class TemperedCalibration {
 public:
  /// temperatures: positive and finite.
  TemperedCalibration(std::vector<double> temperatures, int64_t classes);

  /// Adds rows [n, K], softmax(logits / T) for each T; temperatures are shared out among LibTorch's threads,
  /// which changes no sum. Throws as accumulate_calibration does.
  void add(const float* logits, const int64_t* labels, int64_t n);
  /// Sums over ranks, the same on each. Collective.
  void sum_over(cluster::Communicator& communicator);

  const std::vector<double>& temperatures() const { return temperatures_; }
  const CalibrationSums& sums(size_t temperature) const { return sums_[temperature]; }

 private:
  std::vector<double> temperatures_;
  int64_t classes_;
  std::vector<CalibrationSums> sums_;  ///< as many as temperatures
};

}  // namespace smoothlab::eval
