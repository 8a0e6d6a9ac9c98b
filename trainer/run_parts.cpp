#include "trainer/run_parts.h"

#include "models/transformer.h"

namespace smoothlab::trainer {

bool channels_last(const Recipe& recipe) {
  return channels_last(recipe.train, recipe.model.name);
}

bool channels_last(const TrainOptions& train, const std::string& network) {
  return train.channels_last && network != "mlp" && !models::transformer_size(network);
}

namespace {

data::TaskOptions task_options(const Recipe& recipe) {
  data::TaskOptions options = recipe.task;
  options.channels_last = channels_last(recipe);
  return options;
}

}  // namespace

data::Task open_task_of(const Recipe& recipe) {
  return recipe.places.locate([&] { return data::open_task(task_options(recipe), recipe.train.seed); });
}

data::Task evaluated_task_of(const Recipe& recipe) {
  return recipe.places.locate(
      [&] { return data::open_task_to_evaluate(task_options(recipe), recipe.train.seed); });
}

models::NetworkOptions network_options(const Recipe& recipe, const data::Dataset& dataset) {
  models::NetworkOptions options = recipe.model;
  if (const data::TextVocabularies* vocabularies = dataset.vocabularies()) {
    options.source_classes = vocabularies->source.size;
    options.joint_vocabulary = vocabularies->joint();
    options.vocabulary = vocabularies->source.digest + " " + vocabularies->target.digest;
  } else {
    const std::vector<int64_t> shape = dataset.input_shape();
    options.input = {shape.at(0), shape.at(1), shape.at(2)};
  }
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

data::BatchSize batch_size(const Recipe& recipe) {
  return {recipe.train.global_batch, recipe.train.global_tokens};
}

std::shared_ptr<const data::BatchOrder> batch_order(const Recipe& recipe, const data::Dataset& train) {
  return data::make_batch_order(train, recipe.train.seed, batch_size(recipe));
}

int64_t total_steps(const Recipe& recipe, const data::BatchOrder& order) {
  return recipe.train.steps > 0 ? recipe.train.steps : order.steps(recipe.train.epochs);
}

}  // namespace smoothlab::trainer
