#include "trainer/loaded_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "models/weights.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/run_folder.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {
namespace {

FoundCheckpoint find_checkpoint(const cluster::FileSystem& files, const std::string& folder, int64_t step,
                                cluster::Log& log) {
  if (step < 0) {
    const auto newest = find_newest_checkpoint(files, folder, log);
    if (!newest)
      throw DataError("the run has no checkpoint yet", folder, "train it until its first checkpoint");
    return *newest;
  }
  const std::vector<int64_t> steps = checkpoint_steps(files, folder);
  if (std::find(steps.begin(), steps.end(), step) == steps.end()) {
    std::string known;
    for (const int64_t other : steps) known += " " + std::to_string(other);
    throw UsageError(fmt::format("there is no checkpoint of step {}", step), folder,
                     known.empty() ? "train the run first" : "choose one of" + known);
  }
  FoundCheckpoint found{step, folder + "/" + checkpoint_name(step), {}};
  const std::string damage = checkpoint_damage(files, found.folder, step);
  if (!damage.empty())
    throw DataError("the checkpoint is damaged: " + damage, found.folder, "use another step");
  return found;
}

}  // namespace

LoadedRun load_run(const std::string& folder, const LoadOptions& options, const cluster::FileSystem& files,
                   cluster::Log& log) {
  const std::string recipe_path = folder + "/recipe.yaml";
  if (!files.exists(recipe_path))
    throw DataError("the folder holds no run (no recipe.yaml)", folder,
                    "name the folder that train was given");
  LoadedRun run;
  run.recipe = recipe_of_run(files, recipe_path);
  const FoundCheckpoint found = find_checkpoint(files, folder + "/checkpoints", options.step, log);
  run.task = open_task_of(run.recipe);
  run.network = make_network_of(run.recipe, *run.task.train);
  run.step = found.step;
  const std::string average = found.folder + "/average.safetensors";
  run.averaged = options.averages && files.exists(average);
  const std::string weights = run.averaged ? average : found.folder + "/weights.safetensors";
  models::load_weights(*run.network, network_options(run.recipe, *run.task.train),
                       models::read_safetensors(files, weights), weights);
  run.weights = weights;
  return run;
}

}  // namespace smoothlab::trainer
