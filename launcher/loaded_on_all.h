#pragma once

#include <string>

#include "cluster/communicator.h"
#include "cluster/log.h"
#include "trainer/loaded_run.h"

namespace smoothlab::launcher {

/// load_run on every rank, of one checkpoint: rank 0 chooses, since a run that still trains may finish one in
/// between, and one warning about a damaged one is enough. Collective. Throws as load_run does.
trainer::LoadedRun load_on_all(const std::string& folder, trainer::LoadOptions options,
                               cluster::Communicator& communicator, cluster::Log& log);

}  // namespace smoothlab::launcher
