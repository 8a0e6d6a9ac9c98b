#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "cluster/stop_signal.h"
#include "models/network.h"
#include "trainer/metrics_log.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

struct RunOptions {
  std::string folder;   ///< see RunFolder
  bool resume = false;  ///< go on with the run in the folder; a folder without one starts from scratch
  bool quiet = false;   ///< no progress, only what is worth keeping
  cluster::PlacementWish placement;  ///< see cluster::place_rank
};

enum class RunOutcome {
  finished,  ///< all steps are done
  stopped,   ///< asked to stop; a checkpoint is on disk
  requeue    ///< the same, and wants to be started again
};

/// One training run: a recipe in a folder. All ranks make it and call the same functions; errors that concern
/// all are thrown on all. A resumed run on as many ranks goes on bitwise as if it had never stopped (CPU); on
/// another number of ranks it sees the same samples in the same steps.
class TrainingRun {
 public:
  /// Opens the data, builds the network, and makes the folder or, to resume, reads the newest whole
  /// checkpoint. Everything but recipe and options outlives the run. Collective. Throws UsageError,
  /// DataError, EnvironmentError.
  TrainingRun(const Recipe& recipe, const RunOptions& options, cluster::Communicator& communicator,
              cluster::FileSystem& files, cluster::Log& log);
  ~TrainingRun();
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  /// Trains to the last step or until a signal on any rank, which all ranks follow at the same step (see
  /// StopAgreement for how soon; an evaluation under way is finished, one that is due is left to the next
  /// sitting). On return all files are on disk. Throws EnvironmentError, on every rank, where metrics or a
  /// checkpoint cannot be written; checkpoints that were whole stay. What goes wrong in the steps of one
  /// rank, RunError where its loss is not finite, is thrown on that rank alone and leaves the others waiting:
  /// the caller ends the job.
  RunOutcome train(const cluster::StopSignal& stop);
  /// The same in pieces, for runs that take turns in one process: begin, advance by one step and what is due
  /// after it until that says that there is nothing more to do, end.
  void begin(const cluster::StopSignal& stop);
  bool advance();
  RunOutcome end();

  /// Steps done, and of the whole run.
  int64_t step() const;
  int64_t steps() const;
  models::Network& network();
  /// What the run is judged by: the best evaluation so far where it chooses (checkpoint.best), else the last
  /// one of this sitting.
  std::optional<EvaluationMetrics> evaluation() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::trainer
