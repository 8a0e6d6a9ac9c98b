#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/calibration_report.h"

namespace smoothlab::eval {

/// A row of the paper's Table 3: ECE of hard targets, of the same after temperature scaling, of smoothing.
/// Each is a mean over runs; the temperature a geometric mean.
struct SmoothingComparison {
  std::string name;  ///< "task / model" as far as files state it, and what tells its rows apart
  std::optional<double> hard_ece, hard_scaled_ece, temperature;
  double alpha = 0;  ///< of the smoothed network
  std::optional<double> smoothed_ece;
  int hard_runs = 1, smoothed_runs = 1;  ///< files that a mean is over
  std::vector<std::string> notes = {};   ///< what a reader should know, a sentence each
};

/// Sets smoothed against hard (α = 0) files, in a row for each α and convention. Only evaluations of the same
/// task, model, split, step, rows and classes are set side by side. Files of recipes that differ in nothing
/// but seed, α and convention (and how the run is kept) are runs of one thing, over which the row has means.
/// A smoothed row gets the hard files of its own recipe; where there are none, those of the only other
/// recipe, with a note of the keys that differ; where there are several others, none, with a note. What
/// stays alone has a row with the other side empty. Figures do not depend on the order of files. Files that
/// do not state α, and parts of an evaluation, take no part.
std::vector<SmoothingComparison> compare_smoothing(const std::vector<CalibrationReport>& reports);

/// Whether there is something on both sides.
bool has_both_sides(const std::vector<SmoothingComparison>& rows);

/// The notes of all rows, each once.
std::vector<std::string> notes_of(const std::vector<SmoothingComparison>& rows);

/// As text in the table's shape, then the notes; empty when there is nothing to compare. Ends with a newline.
std::string to_text(const std::vector<SmoothingComparison>& rows);

}  // namespace smoothlab::eval
