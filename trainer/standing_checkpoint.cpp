#include "trainer/standing_checkpoint.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "trainer/checkpoint.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/training_state.h"

namespace smoothlab::trainer {

std::optional<BestEvaluation> known_best(const cluster::FileSystem& files, const std::string& checkpoint) {
  const std::string path = checkpoint + "/state.json";
  if (!files.exists(path)) return std::nullopt;
  return training_state_from_json(files.read(path), path).best;
}

StandingCheckpoint find_best_checkpoint(const cluster::FileSystem& files, const std::string& folder,
                                        const BestEvaluation& best, const std::string& remedy) {
  const int64_t step = best.evaluation.step;
  StandingCheckpoint found{step, folder + "/" + checkpoint_name(step), best.metric};
  const std::string damage = checkpoint_damage(files, found.folder, step);
  if (!damage.empty())
    throw DataError(fmt::format("the best checkpoint, by {}, is damaged ({})", best.metric, damage),
                    found.folder, remedy);
  return found;
}

std::optional<StandingCheckpoint> find_standing_checkpoint(const cluster::FileSystem& files,
                                                           const std::string& folder, cluster::Log& log,
                                                           const std::string& remedy) {
  const auto newest = find_newest_checkpoint(files, folder, log);
  if (!newest) return std::nullopt;
  const auto best = known_best(files, newest->folder);
  if (!best) return StandingCheckpoint{newest->step, newest->folder, ""};
  if (best->evaluation.step == newest->step)
    return StandingCheckpoint{newest->step, newest->folder, best->metric};
  return find_best_checkpoint(files, folder, *best, remedy);
}

std::string best_pointer(const std::string& folder) {
  return folder + "/best";
}

void point_to_best(cluster::FileSystem& files, const std::string& folder, std::optional<int64_t> step) {
  const std::string path = best_pointer(folder), text = step ? checkpoint_name(*step) + "\n" : "";
  const bool exists = files.exists(path);
  if (exists && !step) files.remove_all(path);
  if (step && (!exists || files.read(path) != text)) cluster::write_file_whole(files, path, text);
}

}  // namespace smoothlab::trainer
