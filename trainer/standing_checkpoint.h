#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/file_system.h"
#include "cluster/log.h"
#include "trainer/checkpoint_choice.h"
#include "trainer/checkpoint_reader.h"

namespace smoothlab::trainer {

/// The checkpoint that stands for a run: what is evaluated, translates and teaches unless another one is
/// asked for.
struct StandingCheckpoint {
  int64_t step = 0;
  std::string folder;
  std::string best;  ///< the figure by which it was chosen, "accuracy"; empty: it is the newest
};

/// The best evaluation as the checkpoint in a folder knows it; none where its run does not choose, or
/// it does not say where it stands, which is damage. Throws DataError, EnvironmentError.
std::optional<BestEvaluation> known_best(const cluster::FileSystem& files, const std::string& checkpoint);

/// The checkpoint among those in `folder` that the best evaluation was of. Throws DataError with this remedy
/// where it is missing or damaged, EnvironmentError where it cannot be read.
StandingCheckpoint find_best_checkpoint(const cluster::FileSystem& files, const std::string& folder,
                                        const BestEvaluation& best, const std::string& remedy);

/// The best one that the newest whole checkpoint knows of, which may be itself; the newest where it knows of
/// none. Throws as find_newest_checkpoint and find_best_checkpoint do; none where there are no checkpoints.
std::optional<StandingCheckpoint> find_standing_checkpoint(const cluster::FileSystem& files,
                                                           const std::string& folder, cluster::Log& log,
                                                           const std::string& remedy);

/// Where checkpoints/best says "step-900", for people and scripts: the program itself goes by what
/// checkpoints know.
std::string best_pointer(const std::string& folder);
/// Lets it say that, whole or not at all; step: none where there is no best, and then no pointer.
void point_to_best(cluster::FileSystem& files, const std::string& folder, std::optional<int64_t> step);

}  // namespace smoothlab::trainer
