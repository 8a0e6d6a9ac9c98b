#pragma once

#include <vector>

#include "eval/calibration_report.h"
#include "eval/chart.h"

namespace smoothlab::eval {

/// How calibration goes on while a network learns, from files of several steps of a run: ECE as trained and
/// at the fitted temperature, that temperature, NLL and accuracy against steps, a line for each run and
/// split. Empty where no run has two steps.
std::vector<Chart> calibration_trends(const std::vector<CalibrationReport>& reports);

}  // namespace smoothlab::eval
