#pragma once

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// What no key can check alone: required keys, exclusive keys, values for keys that do not belong to the
/// chosen name. A key that does not belong may be given its default, which takes it back. Throws UsageError.
void check_recipe(const Recipe& recipe);

/// The same for what the data decide: a global batch may span the end of an epoch, but is no larger than one.
void check_batch_fits(const Recipe& recipe, int64_t train_samples);

/// And for what they have to choose a checkpoint on: evaluated is the split that evaluations are of.
void check_choice(const Recipe& recipe, const std::string& evaluated);

/// Whether a key has no effect in this recipe, so that a resolved recipe does without it: it is at its
/// default, and belongs to another data set, network, optimiser or schedule, or stands for "none".
bool means_nothing(const Recipe& recipe, const std::string& key);

}  // namespace smoothlab::trainer
