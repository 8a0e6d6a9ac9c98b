#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/task.h"
#include "models/network.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

struct LoadOptions {
  bool averages = true;  ///< the averages of the weights, where the run keeps them
  int64_t step = -1;     ///< −1: the newest whole checkpoint
};

/// A run that was trained, ready to be used.
struct LoadedRun {
  Recipe recipe;
  data::Task task;
  std::unique_ptr<models::Network> network;
  int64_t step = 0;
  bool averaged = false;  ///< the weights are averages
  std::string weights;    ///< the file that they were read from
};

/// Reads the recipe of a run folder, opens its data and loads the weights of a checkpoint. Damaged
/// checkpoints are named on the log. Throws DataError where the folder holds no run or no whole checkpoint,
/// UsageError where the step has no checkpoint.
LoadedRun load_run(const std::string& folder, const LoadOptions& options, const cluster::FileSystem& files,
                   cluster::Log& log);

}  // namespace smoothlab::trainer
