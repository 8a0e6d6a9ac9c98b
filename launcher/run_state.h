#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/file_system.h"
#include "launcher/study_plan.h"
#include "trainer/metrics_log.h"

namespace smoothlab::launcher {

enum class RunPhase {
  waiting,  ///< nothing has been trained
  stopped,  ///< begun; goes on from its newest checkpoint
  running,  ///< a process trains in the folder
  failed,   ///< its last sitting under a study ended with an error; goes on as if it had stopped
  done,     ///< whole: all its steps and its last evaluation
  changed   ///< the folder holds a run of another recipe, or no run that could go on
};

/// "done", as tables and JSON call it.
const char* phase_name(RunPhase phase);

/// How a run stands, by what its folder holds.
struct RunState {
  RunPhase phase = RunPhase::waiting;
  int64_t step = 0;             ///< done; of a run that has stopped, those that a checkpoint keeps
  double seconds = 0;           ///< of training, all sittings
  double seconds_per_step = 0;  ///< 0: unknown
  std::optional<trainer::EvaluationMetrics> evaluation;  ///< the last
  std::optional<double> gamma;  ///< equivalent smoothing of its teacher, where it has one
  std::string problem;          ///< failed: its error; changed: "key: before → now"
};

/// Looks into the folder of a planned run. A run of an earlier form of its recipe is whole where only what
/// does not change a step's arithmetic is another, and stopped where it has become longer. Throws
/// EnvironmentError where something cannot be read.
RunState run_state(const cluster::FileSystem& files, const StudyRun& run);

/// Where a study keeps what a run said on stderr in its last sitting; a line "error: …" says that it failed.
std::string stderr_path(const std::string& folder);
/// The last such line without its "error: "; empty where there is none.
std::string told_error(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::launcher
