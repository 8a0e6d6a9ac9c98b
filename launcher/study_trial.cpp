#include "launcher/study_trial.h"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>

#include "cluster/error.h"
#include "trainer/training_run.h"

namespace smoothlab::launcher {
namespace {

constexpr int most_steps = 30;
constexpr double most_seconds = 2;

class TrialFolder {
 public:
  TrialFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "smoothlab-trial-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr)
      throw EnvironmentError("cannot make a folder for a trial", path, "check $TMPDIR and its free space");
    path_ = path;
  }
  ~TrialFolder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  TrialFolder(const TrialFolder&) = delete;
  TrialFolder& operator=(const TrialFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

double seconds_of_trial_step(trainer::Recipe recipe, int threads, const cluster::StopSignal& stop) {
  using Clock = std::chrono::steady_clock;
  // Longer than the trial, which then never comes to a last step with all that is due there.
  if (recipe.train.epochs == 0) recipe.train.steps = std::max<int64_t>(recipe.train.steps, 2 * most_steps);
  recipe.evaluate.every = 0;
  recipe.checkpoint = {};  // a choice among checkpoints needs evaluations
  recipe.logits = {};
  recipe.information = {};
  recipe.teacher = {};  // who may have yet to be trained
  const TrialFolder folder;
  const auto files = cluster::local_file_system();
  const auto communicator = cluster::make_solo_communicator();
  cluster::Log log(0, /*quiet=*/true);
  trainer::RunOptions options;
  options.folder = folder.path() + "/run";
  options.quiet = true;
  options.placement.threads = threads;
  trainer::TrainingRun run(recipe, options, *communicator, *files, log);
  run.begin(stop);
  run.advance();  // the first also sets up what the others use
  const auto start = Clock::now();
  int steps = 0;
  double seconds = 0;
  while (steps < most_steps && seconds < most_seconds && run.step() + 1 < run.steps() && run.advance()) {
    ++steps;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  if (steps == 0) throw RunError("the trial made no step", folder.path(), "train for longer");
  return seconds / steps;
}

}  // namespace smoothlab::launcher
