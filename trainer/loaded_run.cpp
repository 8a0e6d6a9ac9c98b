#include "trainer/loaded_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "data/digest.h"
#include "models/weights.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/run_folder.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {
namespace {

int64_t chosen_step(const cluster::FileSystem& files, const std::string& folder, int64_t step,
                    cluster::Log& log) {
  if (step < 0) {
    const auto newest = find_newest_checkpoint(files, folder, log);
    if (!newest)
      throw DataError("the run has no checkpoint yet", folder, "train it until its first checkpoint");
    return newest->step;
  }
  const std::vector<int64_t> steps = checkpoint_steps(files, folder);
  if (std::find(steps.begin(), steps.end(), step) != steps.end()) return step;
  std::string known;
  for (const int64_t other : steps) known += " " + std::to_string(other);
  throw UsageError(fmt::format("there is no checkpoint of step {}", step), folder,
                   known.empty() ? "train the run first" : "choose one of" + known);
}

/// Folders of the last checkpoints up to this one, which is known to be whole or not, the latest first.
std::vector<std::string> last_checkpoints(const cluster::FileSystem& files, const std::string& folder,
                                          int64_t step, bool known_whole, int64_t count) {
  std::vector<int64_t> steps;
  for (const int64_t one : checkpoint_steps(files, folder))
    if (one <= step) steps.push_back(one);
  std::sort(steps.rbegin(), steps.rend());
  if (static_cast<int64_t>(steps.size()) < count)
    throw UsageError(
        fmt::format("{} checkpoints up to step {}, and {} are to be averaged", steps.size(), step, count),
        folder, "average fewer, or train with a larger checkpoint.keep");
  steps.resize(static_cast<size_t>(count));
  std::vector<std::string> folders;
  for (const int64_t one : steps) {
    folders.push_back(folder + "/" + checkpoint_name(one));
    const std::string damage =
        one == step && known_whole ? "" : checkpoint_damage(files, folders.back(), one);
    if (!damage.empty())
      throw DataError("the checkpoint is damaged: " + damage, folders.back(), "use another step");
  }
  return folders;
}

/// Sets the network's tensors to the means of what the files hold.
void load_mean(models::Network& network, const models::NetworkOptions& options,
               const cluster::FileSystem& files, const std::vector<std::string>& weights) {
  const auto load = [&](const std::string& path) {
    models::load_weights(network, options, models::read_safetensors(files, path), path);
  };
  load(weights.front());
  if (weights.size() == 1) return;
  const models::NamedTensors tensors = models::tensors_of(network);
  std::vector<at::Tensor> sums;
  for (const auto& [name, tensor] : tensors)
    sums.push_back(tensor.is_floating_point() ? tensor.detach().to(at::kDouble, false, true)
                                              : tensor.detach().clone());
  for (size_t file = 1; file < weights.size(); ++file) {
    load(weights[file]);
    for (size_t i = 0; i < tensors.size(); ++i)
      if (sums[i].is_floating_point()) sums[i].add_(tensors[i].second.detach());
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (sums[i].is_floating_point()) sums[i].div_(static_cast<double>(weights.size()));
    tensors[i].second.detach().copy_(sums[i]);
  }
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
  const std::string checkpoints = folder + "/checkpoints";
  run.step = chosen_step(files, checkpoints, options.step, log);
  run.task = open_task_of(run.recipe);
  run.network = make_network_of(run.recipe, *run.task.train);
  for (const std::string& checkpoint :
       last_checkpoints(files, checkpoints, run.step, options.step < 0, options.last)) {
    const std::string average = checkpoint + "/average.safetensors";
    const bool averaged = options.averages && files.exists(average);
    run.weights.push_back(averaged ? average : checkpoint + "/weights.safetensors");
    run.averaged = averaged || options.last > 1;
  }
  load_mean(*run.network, network_options(run.recipe, *run.task.train), files, run.weights);
  return run;
}

std::string weights_digest(const LoadedRun& run) {
  std::string digests;
  for (const std::string& file : run.weights) digests += data::file_digest(file, "sha256");
  return run.weights.size() == 1 ? digests : data::sha256({{digests.data(), digests.size()}});
}

}  // namespace smoothlab::trainer
