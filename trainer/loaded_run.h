#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/task.h"
#include "models/network.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Which checkpoint of a run is meant: the one that stands for it, which is the best where the run chooses
/// (checkpoint.best) and else the newest whole one; one of these two, whatever the run does.
enum class WhichCheckpoint { standing, best, newest };

struct LoadOptions {
  bool averages = true;  ///< the averages of the weights, where the run keeps them
  WhichCheckpoint which = WhichCheckpoint::standing;
  int64_t step = -1;  ///< that of a step in place of those; −1: none
  int64_t last = 1;   ///< checkpoints up to that step whose weights are averaged, ≥ 1
};

/// A run that was trained, ready to be used.
struct LoadedRun {
  Recipe recipe;
  data::Task task;
  std::unique_ptr<models::Network> network;
  int64_t step = 0;                  ///< of the last checkpoint
  std::string best;                  ///< the figure by which that was chosen; empty: it was not
  bool averaged = false;             ///< the weights are averages, of whatever kind
  std::vector<std::string> weights;  ///< the files that they were read from, the latest first
};

/// Reads the recipe of a run folder, opens its data and loads the weights of a checkpoint. Damaged
/// checkpoints are named on the log. The mean of several checkpoints is that of all floating-point tensors,
/// statistics of batch normalisation among them, as tensor2tensor averages (Vaswani et al. 2017, sec. 6.1);
/// one that is kept as the best alone is not among the last. Throws DataError where the folder holds no run
/// or no whole checkpoint, or one that is wanted is damaged; UsageError where the step has no checkpoint, the
/// run has chosen none and its best is wanted, or there are not so many.
LoadedRun load_run(const std::string& folder, const LoadOptions& options, const cluster::FileSystem& files,
                   cluster::Log& log);

/// The recipe's network, sized to the data set, with the weights of a file; of several, their means. Throws
/// DataError where they do not fit.
std::unique_ptr<models::Network> load_network(const Recipe& recipe, const data::Dataset& dataset,
                                              const std::vector<std::string>& weights,
                                              const cluster::FileSystem& files);

/// SHA-256 of the weights' file; of several, of their digests.
std::string weights_digest(const LoadedRun& run);

}  // namespace smoothlab::trainer
