#pragma once

#include "launcher/options.h"
#include "trainer/loaded_run.h"

namespace smoothlab::launcher {

/// Declares the options by which a verb chooses among a run's weights: checkpoint, step, last,
/// no-average.
Options& add_weights_options(Options& options);

/// What they say. Throws UsageError.
trainer::LoadOptions load_wish(const Options& options);

}  // namespace smoothlab::launcher
