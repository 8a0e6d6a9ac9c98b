#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/stop_signal.h"
#include "trainer/training_run.h"

namespace smoothlab::trainer {

/// A run of a pack: what to train, and where.
struct PackedRun {
  Recipe recipe;
  RunOptions options;
};

/// How it went.
struct PackedOutcome {
  std::string folder;
  std::optional<RunOutcome> outcome;  ///< none: it failed
  std::optional<Error> failure;
  int64_t step = 0, steps = 0;
  std::optional<EvaluationMetrics> evaluation;  ///< see TrainingRun
};

/// Trains independent runs side by side in this process, each as if it were alone: to the same last bit on
/// the CPU. They take turns, one step each. On CUDA each has a stream of its own, on which the host puts a
/// step in one launch and goes on to the next run, so that the kernels of small networks fill the device
/// together. A run that fails leaves the others alone. One rank. Progress goes to `log`, what each run has to
/// say into its own folder.
std::vector<PackedOutcome> train_pack(const std::vector<PackedRun>& runs, cluster::Communicator& communicator,
                                      cluster::FileSystem& files, cluster::Log& log,
                                      const cluster::StopSignal& stop);

}  // namespace smoothlab::trainer
