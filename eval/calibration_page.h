#pragma once

#include <string>
#include <vector>

#include "eval/calibration_report.h"
#include "eval/smoothing_comparison.h"

namespace smoothlab::eval {

struct PageOptions {
  std::string title = "Calibration";
  std::string introduction;                    ///< a paragraph under the title, may be empty
  std::vector<SmoothingComparison> published;  ///< rows of the paper's Table 3 to show below our own
};

/// One self-contained HTML page: the comparison in the shape of the paper's Table 3, reliability diagrams
/// side by side, all metrics of every file. It loads nothing, needs no script, follows the reader's light or
/// dark setting, and fits screens from 390 pixels up. All text from files is escaped.
std::string calibration_page(const std::vector<CalibrationReport>& reports, const PageOptions& options = {});

}  // namespace smoothlab::eval
