#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "trainer/metrics_log.h"
#include "trainer/recipe.h"
#include "trainer/run_summary.h"
#include "trainer/teacher_record.h"

namespace smoothlab::trainer {

/// What a run folder tells without its checkpoints.
struct RunRecord {
  std::string folder;
  Recipe recipe;
  RunMetrics metrics;
  std::string problem;  ///< why metrics.jsonl could not be read, and the lines are none; empty: it could
  std::optional<RunSummary> summary;     ///< none: the run has not ended
  std::optional<TeacherRecord> teacher;  ///< none: it has no teacher
  /// The published files of its logits/, shards left out, in the order of their names.
  std::vector<std::string> logits;
};

/// Throws DataError where the folder holds no run, or its recipe or its end cannot be read.
RunRecord read_run_record(const cluster::FileSystem& files, const std::string& folder);

/// The run folders in and below a folder, in the order of their paths; what is in a run is not searched.
/// Throws DataError where the folder is missing or there is none.
std::vector<std::string> find_runs(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::trainer
