#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cluster/compute_stream.h"
#include "cluster/device.h"
#include "data/batch_stream.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {

/// Runs that use all that a step can have while one can stand for all: accumulation, bf16, averages,
/// clipping, disturbed labels, a schedule, each optimiser.
inline std::vector<Recipe> recipes_to_repeat() {
  Recipe recipe = small_resnet_recipe();
  recipe.optimizer.groups.push_back({"group1*", 0.5, 0.01});
  std::vector<Recipe> recipes{recipe};
  recipe.train.precision = "fp32";
  recipe.train.micro_batch = 0;
  recipe.train.ema_warmup = true;
  recipe.targets.disturb_label = 0.1;
  recipe.optimizer = {};
  recipe.optimizer.name = "adam";
  recipe.optimizer.lr = 1e-3;
  recipe.optimizer.weight_decay = 0.01;
  recipe.optimizer.decoupled = true;
  recipes.push_back(recipe);
  recipe.optimizer = {};
  recipe.optimizer.name = "rmsprop";
  recipe.optimizer.lr = 1e-3;
  recipe.optimizer.momentum = 0.9;
  recipe.optimizer.epsilon_inside = true;
  recipes.push_back(recipe);
  return recipes;
}

/// What is left of a training run on rank 0: weights, optimiser and averages by name; and of this rank's
/// loss.
struct Trained {
  models::NamedTensors tensors;
  double loss = 0;
  int64_t correct = 0;
};

/// Eight steps of a recipe with train.capture as given.
inline Trained train(Recipe recipe, const std::string& capture, cluster::Communicator& communicator,
                     const cluster::Placement& placement) {
  constexpr int64_t steps = 8;
  recipe.train.capture = capture;
  const data::Task task = open_task_of(recipe);
  Learner learner(recipe, *task.train, steps, communicator, placement, nullptr, nullptr);
  data::TrainingStreamOptions how;
  how.seed = recipe.train.seed;
  how.global_batch.samples = recipe.train.global_batch;
  how.micro_batch = recipe.train.micro_batch;
  how.slice = {communicator.rank(), communicator.size()};
  how.device = placement.device;
  data::TrainingStream stream(task.train, how);
  LossMeter meter;
  for (int64_t step = 0; step < steps; ++step)
    learner.step(
        step, [&] { return stream.next(); }, meter);
  const Checkpoint checkpoint = learner.snapshot(steps);
  Trained trained{checkpoint.weights.tensors, meter.window().loss, meter.window().correct};
  for (const auto* file : {&checkpoint.optimizer, &checkpoint.average})
    trained.tensors.insert(trained.tensors.end(), file->tensors.begin(), file->tensors.end());
  return trained;
}

}  // namespace smoothlab::trainer
