#include "trainer/loaded_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "cluster/error.h"
#include "data/digest.h"
#include "models/weights.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/run_folder.h"
#include "trainer/run_parts.h"
#include "trainer/standing_checkpoint.h"

namespace smoothlab::trainer {
namespace {

/// The best, newest or standing one: known to be whole.
StandingCheckpoint wanted_checkpoint(const cluster::FileSystem& files, const std::string& folder,
                                     WhichCheckpoint which, cluster::Log& log) {
  std::optional<StandingCheckpoint> found;
  if (which == WhichCheckpoint::newest) {
    if (const auto newest = find_newest_checkpoint(files, folder, log))
      found = StandingCheckpoint{newest->step, newest->folder, ""};
  } else {
    found = find_standing_checkpoint(files, folder, log, "bring it back, or use --checkpoint last");
  }
  if (!found) throw DataError("the run has no checkpoint yet", folder, "train it until its first checkpoint");
  if (which == WhichCheckpoint::best && found->best.empty())
    throw UsageError("the run has chosen no best checkpoint", folder,
                     "use --checkpoint last, or train with checkpoint.best");
  return *found;
}

void require_step(const cluster::FileSystem& files, const std::string& folder, int64_t step) {
  const std::vector<int64_t> steps = checkpoint_steps(files, folder);
  if (std::find(steps.begin(), steps.end(), step) != steps.end()) return;
  std::string known;
  for (const int64_t other : steps) known += " " + std::to_string(other);
  throw UsageError(fmt::format("there is no checkpoint of step {}", step), folder,
                   known.empty() ? "train the run first" : "choose one of" + known);
}

/// Folders of the last checkpoints up to this one, which is known to be whole or not, the latest first. Those
/// before the newest `keep` are there because they are or were the best.
std::vector<std::string> last_checkpoints(const cluster::FileSystem& files, const std::string& folder,
                                          int64_t step, bool known_whole, int64_t count, int64_t keep) {
  std::vector<int64_t> steps, all = checkpoint_steps(files, folder);
  std::sort(all.rbegin(), all.rend());
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i] == step || (all[i] < step && static_cast<int64_t>(i) < keep)) steps.push_back(all[i]);
  if (static_cast<int64_t>(steps.size()) < count)
    throw UsageError(
        fmt::format("{} checkpoints up to step {}, and {} are to be averaged", steps.size(), step, count),
        folder, "average fewer, up to a later one, or train with a larger checkpoint.keep");
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

/// Sets the network's tensors, which are those of the first file, to the means of what all hold; `load` puts
/// those of a file into it.
void load_mean(models::Network& network, const std::vector<std::string>& weights,
               const std::function<void(const std::string&)>& load) {
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
  run.step = options.step;
  if (run.step < 0) {
    const StandingCheckpoint found = wanted_checkpoint(files, checkpoints, options.which, log);
    run.step = found.step;
    run.best = found.best;
  } else {
    require_step(files, checkpoints, run.step);
  }
  run.task = evaluated_task_of(run.recipe);
  const bool chooses = run.recipe.checkpoint.best != "none";
  for (const std::string& checkpoint :
       last_checkpoints(files, checkpoints, run.step, options.step < 0, options.last,
                        chooses ? run.recipe.checkpoint.keep : std::numeric_limits<int64_t>::max())) {
    run.weights.push_back(checkpoint_weights(files, checkpoint, options.averages));
    run.averaged = options.last > 1 || run.weights.back() != checkpoint_weights(files, checkpoint, false);
  }
  run.network = load_network(run.recipe, described_by(run.task), run.weights, files);
  return run;
}

std::unique_ptr<models::Network> load_network(const Recipe& recipe, const data::Dataset& dataset,
                                              const std::vector<std::string>& weights,
                                              const cluster::FileSystem& files) {
  auto network = make_network_of(recipe, dataset);
  const models::NetworkOptions options = network_options(recipe, dataset);
  const auto load = [&](const std::string& path) {
    models::load_weights(*network, options, models::read_safetensors(files, path), path);
  };
  load(weights.front());
  if (weights.size() > 1) load_mean(*network, weights, load);
  return network;
}

std::string weights_digest(const LoadedRun& run) {
  std::string digests;
  for (const std::string& file : run.weights) digests += data::file_digest(file, "sha256");
  return run.weights.size() == 1 ? digests : data::sha256({{digests.data(), digests.size()}});
}

}  // namespace smoothlab::trainer
