#include "trainer/run_parts.h"

#include "cluster/error.h"

namespace smoothlab::trainer {

bool channels_last(const Recipe& recipe) {
  return channels_last(recipe.train, recipe.model.name);
}

bool channels_last(const TrainOptions& train, const std::string& network) {
  return train.channels_last && network != "mlp";
}

data::Task open_task_of(const Recipe& recipe) {
  data::TaskOptions options = recipe.task;
  options.channels_last = channels_last(recipe);
  return recipe.places.locate([&] { return data::open_task(options, recipe.train.seed); });
}

models::NetworkOptions network_options(const Recipe& recipe, const data::Dataset& dataset) {
  models::NetworkOptions options = recipe.model;
  const std::vector<int64_t> shape = dataset.input_shape();
  options.input = {shape.at(0), shape.at(1), shape.at(2)};
  options.classes = dataset.classes();
  options.seed = recipe.train.seed;
  options.channels_last = channels_last(recipe);
  return options;
}

std::unique_ptr<models::Network> make_network_of(const Recipe& recipe, const data::Dataset& dataset) {
  return recipe.places.locate([&] { return models::make_network(network_options(recipe, dataset)); });
}

int64_t rank_batch(int64_t global_batch, int ranks, int rank) {
  return global_batch * (int64_t{rank} + 1) / ranks - global_batch * rank / ranks;
}

c10::ScalarType compute_type(const Recipe& recipe) {
  return recipe.train.precision == "bf16" ? c10::ScalarType::BFloat16 : c10::ScalarType::Float;
}

int64_t total_steps(const Recipe& recipe, int64_t samples) {
  if (recipe.train.steps > 0) return recipe.train.steps;
  return (recipe.train.epochs * samples + recipe.train.global_batch - 1) / recipe.train.global_batch;
}

std::shared_ptr<const data::Dataset> split_of(const data::Task& task, std::string& name) {
  if (name == "validation" && !task.validation) name = "test";
  if (name == "train") return task.train;
  if (name == "validation") return task.validation;
  if (name == "test" && task.test) return task.test;
  throw UsageError("the task has no split '" + name + "'", task.name, "choose train, validation or test");
}

}  // namespace smoothlab::trainer
