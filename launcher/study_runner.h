#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "cluster/log.h"
#include "cluster/stop_signal.h"
#include "launcher/run_backend.h"
#include "launcher/run_state.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// What one sitting of a study made of a run.
enum class RunFate {
  whole,    ///< had been done before
  done,     ///< was done in this sitting
  stopped,  ///< asked to stop, or not begun before everything was
  failed,
  skipped  ///< comes after a run that failed or is not whole
};

struct StudyOutcome {
  std::vector<RunFate> fates;         ///< of `selected`, in its order
  std::vector<std::string> problems;  ///< why it failed, or the run because of which it was skipped
  std::optional<Error> failure;       ///< the first
  cluster::StopRequest request = cluster::StopRequest::none;
  bool stopped_elsewhere = false;  ///< somebody else asked a run to stop
};

/// States of all runs of a plan.
std::vector<RunState> states_of(const cluster::FileSystem& files, const StudyPlan& plan);

/// Throws UsageError that names the first of the selected runs whose folder holds a run of another recipe.
void refuse_changed(const StudyPlan& plan, const std::vector<size_t>& selected,
                    const std::vector<RunState>& states);

/// Trains the selected runs that are not whole, each once those that it comes after are. A run that fails
/// leaves the others alone, but for those that come after it; so does one that another process trains
/// already, which is waited for. When `stop` is heard, what trains is asked to stop and nothing begins.
/// at_once: how many runs train at a time, for the time that is left. Takes the lock of the study's folder
/// and keeps its record. Throws EnvironmentError where another process has it.
StudyOutcome run_study(const StudyPlan& plan, const std::vector<size_t>& selected, int at_once,
                       RunBackend& backend, cluster::FileSystem& files, cluster::Log& log,
                       const cluster::StopSignal& stop);

}  // namespace smoothlab::launcher
