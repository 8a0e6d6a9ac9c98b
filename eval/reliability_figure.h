#pragma once

#include <string>
#include <vector>

#include "eval/calibration_report.h"
#include "eval/figure_format.h"

namespace smoothlab::eval {

/// One reliability diagram (paper fig. 2): accuracy of each bin as a bar, its gap to confidence shaded, the
/// diagonal of perfect calibration, and below it the share of rows in each bin.
struct ReliabilityPanel {
  std::string title;     ///< such as "temperature-scaled"
  std::string subtitle;  ///< such as "ECE 0.021 (0.017–0.026)"
  ReliabilityBins bins;
};

/// A file's panels: unscaled, and at its in-sample temperature where there is one.
std::vector<ReliabilityPanel> reliability_panels(const CalibrationReport& report);

/// What the diagram is of: the file's name without its folder, and α where the file states it.
std::string figure_title(const CalibrationReport& report);

/// The panels side by side, drawn by gnuplot; the picture's bytes. Throws EnvironmentError where gnuplot is
/// not installed, RunError with its message where it fails.
std::string reliability_figure(const std::string& title, const std::vector<ReliabilityPanel>& panels,
                               FigureFormat format);

/// Writes stem + ".svg" and so on, each whole or not at all.
void write_reliability_figures(const CalibrationReport& report, const std::string& stem,
                               const std::vector<FigureFormat>& formats);

}  // namespace smoothlab::eval
