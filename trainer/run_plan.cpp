#include "trainer/run_plan.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "trainer/activation_memory.h"
#include "trainer/learner.h"
#include "trainer/recipe_checks.h"
#include "trainer/run_judge.h"
#include "trainer/run_parts.h"
#include "trainer/task_split.h"
#include "trainer/teaching.h"

namespace smoothlab::trainer {
namespace {

std::string megabytes(int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

/// Of the tensors; headers and texts are some kilobytes more.
int64_t checkpoint_size(const Checkpoint& checkpoint, const models::Network& network, int ranks) {
  int64_t bytes = 0, buffers = 0;
  for (const auto* file : {&checkpoint.weights, &checkpoint.optimizer, &checkpoint.average})
    for (const auto& entry : file->tensors) bytes += static_cast<int64_t>(entry.second.nbytes());
  for (const auto& buffer : network.buffers()) buffers += static_cast<int64_t>(buffer.value.nbytes());
  const int64_t kept =
      checkpoint.average.tensors.empty() ? 1 : 2;  // averages of buffers are a rank's own too
  return ranks > 1 ? bytes + ranks * kept * buffers : bytes;
}

std::vector<std::string> notes_on(const Recipe& recipe, int ranks) {
  std::vector<std::string> notes;
  if (recipe.train.global_batch < ranks)
    notes.push_back(fmt::format("{} of {} ranks have nothing to do: a global batch has {} samples",
                                ranks - recipe.train.global_batch, ranks, recipe.train.global_batch));
  const bool cuda = recipe.train.device != "cpu" && cluster::cuda_devices() > 0;
  if (recipe.train.device == "cuda" && !cuda)
    notes.emplace_back("train.device is cuda, which this machine or this build does not have");
  if (recipe.train.precision == "tf32" && !cuda)
    notes.emplace_back("train.precision tf32 is fp32 where ranks compute on the CPU");
  return notes;
}

/// Measured on some sentences, which stand for all.
int64_t activation_bytes_of_text(models::Network& network, const data::Dataset& text, int64_t sentences) {
  std::vector<data::SampleAddress> some;
  for (int64_t sample = 0; sample < std::min<int64_t>(8, text.size()); ++sample) some.push_back({sample, 0});
  const data::Batch batch = text.collate(some, data::Augment::none);
  const int64_t bytes = activation_bytes(network, batch.inputs, batch.sample_ids);
  return bytes * sentences / static_cast<int64_t>(some.size());
}

}  // namespace

RunPlan plan_run(const Recipe& recipe, int ranks) {
  const data::Task task = open_task_of(recipe);
  check_batch_fits(recipe, task.train->size());
  check_choice(recipe, evaluated_split(recipe, task, "").name);
  for (const std::string& split : recipe.logits.splits) recipe_split(recipe, task, split, "logits.splits");
  if (!recipe.information.classes.empty()) information_examples(recipe.information, recipe.places, task);
  const int64_t teacher_bytes = check_teaching(recipe, task);
  RunPlan plan;
  plan.task = task.name;
  plan.model = recipe.model.name;
  plan.precision = recipe.train.precision;
  plan.train_samples = task.train->size();
  plan.validation_samples = task.validation ? task.validation->size() : 0;
  plan.test_samples = task.test ? task.test->size() : 0;
  plan.classes = task.train->classes();
  plan.input_shape = task.train->input_shape();
  plan.ranks = ranks;
  const auto order = batch_order(recipe, *task.train);
  plan.global_batch = order->largest();
  plan.global_tokens = recipe.train.global_tokens;
  plan.steps = total_steps(recipe, *order);
  plan.epochs = order->epochs(plan.steps);
  plan.steps_per_epoch = 1 / order->epochs(1);
  for (int rank = 0; rank < ranks; ++rank)
    plan.rank_batches.push_back(rank_batch(plan.global_batch, ranks, rank));
  const int64_t largest = *std::max_element(plan.rank_batches.begin(), plan.rank_batches.end());
  plan.micro_batch = recipe.train.micro_batch > 0 ? std::min(recipe.train.micro_batch, largest) : largest;

  plan.notes = notes_on(recipe, ranks);
  if (teacher_bytes > 0)
    plan.notes.push_back(
        fmt::format("a live teacher takes {} more of each rank, and the activations of one layer "
                    "at a time",
                    megabytes(teacher_bytes)));

  const auto communicator = cluster::make_solo_communicator();
  Learner learner(recipe, *task.train, plan.steps, *communicator, cluster::Placement{}, nullptr, nullptr);
  plan.parameters = learner.network().parameter_count();
  plan.state_bytes = learner.state_bytes();
  // The learner here is alone, and exchanges nothing.
  if (ranks > 1 && recipe.train.allreduce == "bf16") plan.state_bytes += 2 * plan.parameters;
  plan.checkpoint_bytes = checkpoint_size(learner.snapshot(0), learner.network(), ranks);
  plan.activation_bytes =
      task.train->vocabularies()
          ? activation_bytes_of_text(learner.network(), *task.train, plan.micro_batch)
          : activation_bytes(learner.network(), plan.input_shape, plan.precision == "bf16", plan.micro_batch);
  return plan;
}

std::string to_text(const RunPlan& plan) {
  std::string held_out =
      plan.validation_samples > 0 ? fmt::format("{} validation, ", plan.validation_samples) : "";
  const auto [least, most] = std::minmax_element(plan.rank_batches.begin(), plan.rank_batches.end());
  const std::string slices =
      *least == *most ? fmt::format("{}", *most) : fmt::format("{} or {}", *least, *most);
  std::string text;
  const std::string inputs =
      plan.input_shape.empty() ? "" : fmt::format(", inputs {}", fmt::join(plan.input_shape, "×"));
  text += fmt::format("task        {}: {} training, {}{} test samples, {} classes{}\n", plan.task,
                      plan.train_samples, held_out, plan.test_samples, plan.classes, inputs);
  text += fmt::format("model       {}: {} parameters, {}\n", plan.model, plan.parameters, plan.precision);
  const std::string batch = plan.global_tokens > 0
                                ? fmt::format("{} tokens, {:.1f}", plan.global_tokens,
                                              static_cast<double>(plan.train_samples) / plan.steps_per_epoch)
                                : fmt::format("{}", plan.global_batch);
  text += fmt::format("steps       {} of {} samples, {:.1f} an epoch, {:.2f} epochs\n", plan.steps, batch,
                      plan.steps_per_epoch, plan.epochs);
  text += fmt::format("ranks       {}: {}{} samples of a step each, at most {} at a time\n", plan.ranks,
                      plan.global_tokens > 0 ? "at most " : "", slices, plan.micro_batch);
  text += fmt::format("memory      {} ({:.1f} bytes a parameter) and about {} of activations a rank\n",
                      megabytes(plan.state_bytes), plan.state_bytes_per_parameter(),
                      megabytes(plan.activation_bytes));
  text += fmt::format("checkpoint  {}\n", megabytes(plan.checkpoint_bytes));
  for (const auto& note : plan.notes) text += "note        " + note + "\n";
  return text;
}

nlohmann::json to_json(const RunPlan& plan) {
  return {{"task", plan.task},
          {"model", plan.model},
          {"precision", plan.precision},
          {"train_samples", plan.train_samples},
          {"validation_samples", plan.validation_samples},
          {"test_samples", plan.test_samples},
          {"classes", plan.classes},
          {"input_shape", plan.input_shape},
          {"parameters", plan.parameters},
          {"steps", plan.steps},
          {"steps_per_epoch", plan.steps_per_epoch},
          {"epochs", plan.epochs},
          {"ranks", plan.ranks},
          {"global_batch", plan.global_batch},
          {"global_tokens", plan.global_tokens},
          {"micro_batch", plan.micro_batch},
          {"rank_batches", plan.rank_batches},
          {"state_bytes", plan.state_bytes},
          {"state_bytes_per_parameter", plan.state_bytes_per_parameter()},
          {"activation_bytes", plan.activation_bytes},
          {"checkpoint_bytes", plan.checkpoint_bytes},
          {"notes", plan.notes}};
}

}  // namespace smoothlab::trainer
