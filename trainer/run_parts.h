#pragma once

#include <cstdint>

#include "data/task.h"
#include "models/network.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// The recipe's data, with inputs in the memory format that its network wants.
data::Task open_task_of(const Recipe& recipe);

/// The recipe's network, sized to the task and initialised from train.seed.
std::unique_ptr<models::Network> make_network_of(const Recipe& recipe, const data::Dataset& dataset);

/// Steps of the whole run; with train.epochs as many as its last sample needs.
int64_t total_steps(const Recipe& recipe, int64_t samples);

/// A split by name: "train", "validation" (test where nothing is held out) or "test". `name` becomes the
/// name of the split that was found. Throws UsageError.
std::shared_ptr<const data::Dataset> split_of(const data::Task& task, std::string& name);

}  // namespace smoothlab::trainer
