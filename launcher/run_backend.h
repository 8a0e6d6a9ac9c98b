#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "cluster/error.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// How a run that a backend had started came to its end.
struct RunEnd {
  size_t run = 0;                ///< in StudyPlan::runs
  std::optional<Error> failure;  ///< none: it has done its steps, or stopped because it was asked
};

/// Where the runs of a study are trained: processes here, one process for several, a cluster's queue. Runs
/// are started one by one and end in any order. What a run has to say on stderr goes to stderr_path(folder).
class RunBackend {
 public:
  virtual ~RunBackend() = default;
  /// How many runs may be started now.
  virtual size_t room() const = 0;
  /// Starts a run, or goes on with it from its newest checkpoint. Throws where that cannot be done: this run
  /// has failed then, and others may go on.
  virtual void start(size_t index, const StudyRun& run) = 0;
  /// The next run that has ended; none once `patience` is over.
  virtual std::optional<RunEnd> wait(std::chrono::milliseconds patience) = 0;
  /// Asks all that were started to stop after a checkpoint. wait() still tells of their ends.
  virtual void stop_all() = 0;
};

}  // namespace smoothlab::launcher
