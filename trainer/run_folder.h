#pragma once

#include <cstdint>
#include <string>

#include "cluster/file_system.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// The folder of one run, and what stands where in it:
///   recipe.yaml (resolved), metrics.jsonl, log.txt, checkpoints/step-N/, logits/*.h5
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
  /// Makes the folder for a new run and writes its recipe. Throws UsageError where a run is there already.
  void begin(const Recipe& recipe);
  /// Checks that this is the run of `recipe`, up to the keys that may change between sittings (see
  /// first_conflict), and takes over their new values. Throws UsageError that names the first other key.
  void reopen(const Recipe& recipe);

 private:
  cluster::FileSystem& files_;
  std::string path_;
};

/// The first key in which `now` may not differ from `before` (both resolved recipes) but does, as
/// "key: before → now"; empty where a run may go on. May differ: a larger train.steps or train.epochs,
/// train.log_every, train.workers, train.device, evaluate.*, checkpoint.*: none changes a step's arithmetic.
std::string first_conflict(const std::string& before, const std::string& now);

}  // namespace smoothlab::trainer
