#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cluster/file_system.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// The recipe that a run was started with, as its folder holds it. Throws DataError.
Recipe recipe_of_run(const cluster::FileSystem& files, const std::string& path);

/// The folder of one run, and what stands where in it:
///   recipe.yaml (resolved), metrics.jsonl, summary.json, log.txt, checkpoints/step-N/, logits/*.h5, .lock
class RunFolder {
 public:
  RunFolder(cluster::FileSystem& files, std::string path);

  const std::string& path() const { return path_; }
  std::string recipe() const { return path_ + "/recipe.yaml"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  std::string log() const { return path_ + "/log.txt"; }
  std::string checkpoints() const { return path_ + "/checkpoints"; }
  std::string logits() const { return path_ + "/logits"; }

  /// A run has been started here: its recipe is there.
  bool holds_run() const;
  /// Takes the folder, where there is one, for this object's life, as two processes that train the same run
  /// would mix their checkpoints, and says whether it holds a run to go on with. Throws EnvironmentError
  /// where another process has the folder, UsageError where it holds a run but nobody asked to resume.
  bool claim(bool resume);
  /// Makes and claims the folder for a new run and writes its recipe. Throws UsageError where a run is there
  /// already, or checkpoints whose recipe.yaml is gone.
  void begin(const Recipe& recipe);
  /// Checks that this is the run of `recipe`, up to the keys that may change between sittings (see
  /// first_conflict), and takes over their new values. Throws UsageError that names the first other key, which is
  /// checkpoint.best too once the run has ended.
  void reopen(const Recipe& recipe);

 private:
  void lock();
  void refuse_second_run() const;

  cluster::FileSystem& files_;
  std::string path_;
  std::unique_ptr<cluster::FileLock> lock_;
};

/// The first key in which `now` may not differ from `before` but does, as "key: before → now"; empty where a
/// run may go on. What does not change a step's arithmetic may differ: task.path, train.log_every,
/// train.workers, train.device, train.capture, evaluate.*, logits.*, information.*, checkpoint.*, and a
/// larger train.steps or train.epochs under a schedule that does not depend on the run's length.
std::string first_conflict(const Recipe& before, const Recipe& now);

}  // namespace smoothlab::trainer
