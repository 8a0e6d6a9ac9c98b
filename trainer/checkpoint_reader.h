#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "cluster/log.h"
#include "trainer/checkpoint.h"

namespace smoothlab::trainer {

struct FoundCheckpoint {
  int64_t step = 0;
  std::string folder;
  std::vector<int64_t>
      damaged;  ///< later ones that do not match what was written; not those that cannot be read
};

/// The newest checkpoint whose every byte is as it was written. Damaged ones and ones that cannot be read are
/// named on the log and passed over. Nothing where there are no checkpoints at all; throws DataError where
/// all are damaged, EnvironmentError where none is whole and some cannot be read.
std::optional<FoundCheckpoint> find_newest_checkpoint(const cluster::FileSystem& files,
                                                      const std::string& folder, cluster::Log& log);

/// Removes what interrupted writers left behind, and puts a checkpoint that one was about to replace back.
void remove_unfinished_checkpoints(cluster::FileSystem& files, const std::string& folder);

/// The file of a checkpoint's weights: of their averages where these are wanted and kept.
std::string checkpoint_weights(const cluster::FileSystem& files, const std::string& folder, bool averages);

/// Reads a checkpoint that was found whole. Of the ranks' own files only that of `rank` is read, into
/// ranks[0]; a checkpoint of another rank count has none for it. Throws DataError.
Checkpoint read_checkpoint(const cluster::FileSystem& files, const std::string& folder, int rank, int ranks);

}  // namespace smoothlab::trainer
