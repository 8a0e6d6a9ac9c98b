#pragma once

#include "cluster/stop_signal.h"
#include "trainer/recipe.h"

namespace smoothlab::launcher {

/// Seconds that a step of a recipe takes here: some steps of it on one rank, a few seconds at most beside
/// what opening the data takes, in a folder that is removed. Throws what the run would.
double seconds_of_trial_step(trainer::Recipe recipe, int threads, const cluster::StopSignal& stop);

}  // namespace smoothlab::launcher
