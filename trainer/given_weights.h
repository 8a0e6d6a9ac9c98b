#pragma once

#include <string>

#include "cluster/file_system.h"
#include "trainer/loaded_run.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// The network and the data of a recipe, with the weights of a file that need not come from a run: one of
/// this program's, or timm's of a network that both have (models/timm_names.h). `task.train` may be null:
/// what is evaluated alone need be there. Throws DataError, UsageError.
LoadedRun load_given_weights(const Recipe& recipe, const std::string& weights,
                             const cluster::FileSystem& files);

}  // namespace smoothlab::trainer
