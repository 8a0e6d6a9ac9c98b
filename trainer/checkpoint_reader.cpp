#include "trainer/checkpoint_reader.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "trainer/checkpoint_manifest.h"

namespace smoothlab::trainer {

std::optional<FoundCheckpoint> find_newest_checkpoint(const cluster::FileSystem& files,
                                                      const std::string& folder, cluster::Log& log) {
  FoundCheckpoint found;
  const std::vector<int64_t> steps = checkpoint_steps(files, folder);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    found.step = *step;
    found.folder = folder + "/" + checkpoint_name(*step);
    try {
      const std::string damage = checkpoint_damage(files, found.folder, *step);
      if (damage.empty()) return found;
      log.warning("checkpoint {} is damaged ({}) and is passed over", found.folder, damage);
      found.damaged.push_back(*step);
    } catch (const EnvironmentError& error) {
      log.warning("checkpoint {} cannot be read ({}: {}) and is passed over", found.folder, error.where(),
                  error.problem());
    }
  }
  if (steps.empty()) return std::nullopt;
  const size_t unread = steps.size() - found.damaged.size();
  if (unread > 0)
    throw EnvironmentError(fmt::format("no checkpoint is whole, and {} cannot be read", unread), folder,
                           "make them readable and resume again");
  throw DataError(fmt::format("all {} checkpoints are damaged", steps.size()), folder,
                  "restore one from a backup, or start the run again in another folder");
}

void remove_unfinished_checkpoints(cluster::FileSystem& files, const std::string& folder) {
  for (const auto& name : files.list(folder)) {
    const auto ends_with = [&name](const std::string& end) {
      return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
    };
    const std::string path = folder + "/" + name;
    if (name.compare(0, 6, ".step-") == 0 && ends_with(".tmp")) files.remove_all(path);
    // publish_folder moves a namesake aside before it takes its place, where it may not have come to be.
    if (name.compare(0, 5, "step-") != 0 || !ends_with(".old")) continue;
    const std::string place = path.substr(0, path.size() - 4);
    if (files.exists(place))
      files.remove_all(path);
    else
      files.rename(path, place);
  }
}

std::string checkpoint_weights(const cluster::FileSystem& files, const std::string& folder, bool averages) {
  const std::string average = folder + "/average.safetensors";
  return averages && files.exists(average) ? average : folder + "/weights.safetensors";
}

Checkpoint read_checkpoint(const cluster::FileSystem& files, const std::string& folder, int rank, int ranks) {
  Checkpoint checkpoint;
  checkpoint.folder = folder;
  const std::string state = folder + "/state.json";
  checkpoint.state = training_state_from_json(files.read(state), state);
  checkpoint.recipe = files.read(folder + "/recipe.yaml");
  checkpoint.weights = models::read_safetensors(files, folder + "/weights.safetensors");
  checkpoint.optimizer = models::read_safetensors(files, folder + "/optimizer.safetensors");
  const std::string average = folder + "/average.safetensors";
  if (files.exists(average)) checkpoint.average = models::read_safetensors(files, average);
  const std::string own = fmt::format("{}/ranks/rank-{}.safetensors", folder, rank);
  if (checkpoint.state.ranks == ranks && files.exists(own))
    checkpoint.ranks.push_back(models::read_safetensors(files, own));
  return checkpoint;
}

}  // namespace smoothlab::trainer
