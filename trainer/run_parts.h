#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>

#include "data/batch_order.h"
#include "data/task.h"
#include "models/network.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Whether images and kernels are kept channels-last: as train.channels_last says, but for networks without
/// convolutions, which flatten their input.
bool channels_last(const Recipe& recipe);
/// The same of another network than the recipe's.
bool channels_last(const TrainOptions& train, const std::string& network);

/// The recipe's data, with inputs in the memory format that its network wants. UsageErrors name the recipe's
/// file and line.
data::Task open_task_of(const Recipe& recipe);
/// The same for whoever does not train: the training split may be missing (data::open_task_to_evaluate).
data::Task evaluated_task_of(const Recipe& recipe);

/// What the recipe's network is made from: sized to the task, initialised from train.seed.
models::NetworkOptions network_options(const Recipe& recipe, const data::Dataset& dataset);
/// The network itself. UsageErrors name the recipe's file and line.
std::unique_ptr<models::Network> make_network_of(const Recipe& recipe, const data::Dataset& dataset);

/// What the network computes in.
c10::ScalarType compute_type(const Recipe& recipe);

/// The recipe's global batch, and the order in which it goes through the split.
data::BatchSize batch_size(const Recipe& recipe);
std::shared_ptr<const data::BatchOrder> batch_order(const Recipe& recipe, const data::Dataset& train);

/// Steps of the whole run; with train.epochs as many as its last sample needs.
int64_t total_steps(const Recipe& recipe, const data::BatchOrder& order);

/// Samples of a global batch that go to a rank: the slices of data::TrainingStream, whose sizes differ by one
/// at most.
int64_t rank_batch(int64_t global_batch, int ranks, int rank);

}  // namespace smoothlab::trainer
