#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/calibration_report.h"

namespace smoothlab::eval {

/// A row of the paper's Table 3: ECE of hard targets, of the same after temperature scaling, of smoothing.
struct SmoothingComparison {
  std::string name;  ///< "task / model", as far as files state it
  std::optional<double> hard_ece, hard_scaled_ece, temperature;
  double alpha = 0;  ///< of the smoothed network
  std::optional<double> smoothed_ece;
};

/// Pairs the α = 0 file of each task, model and split with every smoothed file of the same; a side that is
/// missing is left empty. Files that do not state α take no part.
std::vector<SmoothingComparison> compare_smoothing(const std::vector<CalibrationReport>& reports);

/// As text in the table's shape; empty when there is nothing to compare. Ends with a newline.
std::string to_text(const std::vector<SmoothingComparison>& rows);

}  // namespace smoothlab::eval
