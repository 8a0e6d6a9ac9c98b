#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/log.h"
#include "data/task.h"
#include "eval/calibration.h"
#include "models/network.h"
#include "trainer/metrics_log.h"
#include "trainer/recipe.h"
#include "trainer/task_split.h"

namespace smoothlab::trainer {

/// How the network is looked at after a step.
struct DueJudgement {
  bool evaluation = false;   ///< a line of metrics
  bool logits = false;       ///< files of logits.splits
  bool information = false;  ///< a file of augmentation draws
  bool any() const { return evaluation || logits || information; }
};

/// What a recipe asks for after `step` of `steps` steps. Everything it asks for at all is due at the end;
/// trajectories begin before the first step.
DueJudgement due_judgement(const Recipe& recipe, int64_t step, int64_t steps);

/// What of it there is to write down.
struct Judged {
  std::optional<EvaluationMetrics> evaluation;    ///< the same on all ranks
  std::optional<InformationMetrics> information;  ///< on rank 0
};

/// Looks at a run's network while it trains: evaluates it, and keeps its logits. Files go into the run's
/// logits/: SPLIT.h5 and draws.h5 at the end, step-N-SPLIT.h5 and step-N-draws.h5 on the way.
class RunJudge {
 public:
  /// What is given outlives it; folder: of the logit files. Throws UsageError with the recipe's place for a
  /// split or a class that the task does not have, too few examples of a class, or a checkpoint to be chosen
  /// where nothing is held out.
  RunJudge(const Recipe& recipe, const data::Task& task, std::string folder,
           cluster::Communicator& communicator, const cluster::Placement& placement, cluster::Log& log);

  /// The split that evaluations are of.
  const std::string& split() const { return evaluated_.name; }
  int64_t split_size() const { return evaluated_.dataset->size(); }

  /// Does what is due of a network after `step` steps, `last` after all. Collective. Throws what
  /// eval::evaluate throws.
  Judged judge(models::Network& network, int64_t step, bool last, const DueJudgement& due);

 private:
  EvaluationMetrics evaluate(models::Network& network, int64_t step, const std::string& logits);
  InformationMetrics estimate(const std::string& draws, int64_t step);
  /// file: of the split's logits.
  eval::CalibrationSums pass(models::Network& network, const TaskSplit& kept, int64_t step,
                             const std::string& file);
  std::string file(const std::string& split, int64_t step, bool last) const;

  const Recipe& recipe_;
  const std::string task_, folder_;
  cluster::Communicator& communicator_;
  const cluster::Placement& placement_;
  cluster::Log& log_;
  TaskSplit evaluated_;
  std::vector<TaskSplit> kept_;
  std::shared_ptr<const data::Dataset> draws_;
};

/// The examples of two classes under several draws of the augmentation that `information` asks for. Throws
/// UsageError with the recipe's place.
std::shared_ptr<const data::Dataset> information_examples(const InformationOptions& information,
                                                          const RecipePlaces& places, const data::Task& task);

}  // namespace smoothlab::trainer
