#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/stated_origin.h"

namespace smoothlab::eval {

/// A file and what it states of its origin.
struct StatedFile {
  std::string path;
  StatedOrigin origin;
};

/// Those of reports with members `file` and `origin`.
template <typename Report>
std::vector<StatedFile> stated_files(const std::vector<Report>& reports) {
  std::vector<StatedFile> files;
  files.reserve(reports.size());
  for (const Report& report : reports) files.push_back({report.file, report.origin});
  return files;
}

/// Files of one run and split at one or several steps, as a training run writes them on its way.
struct StepSeries {
  std::string name;           ///< what tells it from the others: "α = 0.1, train"
  std::vector<size_t> files;  ///< indices of the files given, in the order of their steps
  int run = 0;                ///< number of its run (another split may be of the same), for a colour
  bool dashed = false;        ///< of another split than the first
};

/// Puts files together that are in one folder and state the same task, model, α, convention and split,
/// outside of a run's folder "logits" also the same recipe; a file without a step stands alone. Series are in
/// the order of α, within it of the files given, training rows before validation before test before others.
std::vector<StepSeries> step_series(const std::vector<StatedFile>& files);

/// The files of a series, of several with one step the first: the file of a run's end may be there twice.
std::vector<size_t> one_a_step(const StepSeries& series, const std::vector<StatedFile>& files);

/// All files, series by series.
std::vector<size_t> in_series_order(const std::vector<StepSeries>& series);

/// Whether a series has two steps or more: something to draw against steps.
bool has_trajectory(const std::vector<StepSeries>& series, const std::vector<StatedFile>& files);

/// "α = 0.1, train, step 4000", as far as the file states it; else its name without folder.
std::string origin_title(const StatedFile& file);

}  // namespace smoothlab::eval
