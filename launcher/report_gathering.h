#pragma once

#include <string>
#include <vector>

#include "eval/report_run.h"

namespace smoothlab::launcher {

/// What a report shows of runs beside what they say themselves.
struct ReportWishes {
  std::vector<std::string> classes;  ///< three, to be projected where files know them; see ProjectedClasses
  int64_t examples = 100;            ///< of each that are drawn; 0: all
  int threads = 0;                   ///< 0: as many as there are cores
};

/// Reads the runs in and below the folders, judges their final logits, and projects those that have
/// penultimate activations. A file that cannot be used is a problem of its run, not of the report. Throws
/// DataError where a folder holds no run or none of them can be read, UsageError for a class where no file of
/// the runs knows all that are asked for.
std::vector<eval::ReportRun> gather_runs(const std::vector<std::string>& folders, const ReportWishes& wishes);

}  // namespace smoothlab::launcher
