#pragma once

#include <filesystem>

#include "trainer/checkpoint.h"
#include "trainer/small_run.h"
#include "trainer/standing_checkpoint.h"

namespace smoothlab::trainer {

/// A run whose best checkpoint is an early one: from step 8 on the rate is so high that it forgets again.
inline Recipe choosing_recipe(const std::string& metric) {
  Recipe recipe = small_recipe();
  recipe.schedule = {};
  recipe.schedule.name = "step";
  recipe.schedule.at = {8};
  recipe.schedule.factor = 40;
  recipe.train.ema = 0.5;
  recipe.evaluate.every = 2;
  recipe.checkpoint.every = 3;
  recipe.checkpoint.best = metric;
  recipe.checkpoint.keep = 1;
  return recipe;
}

/// The same with batch normalisation, bf16 and gradient accumulation.
inline Recipe choosing_resnet_recipe(const std::string& metric) {
  Recipe recipe = small_resnet_recipe();
  recipe.schedule = {};
  recipe.train.steps = 20;
  recipe.train.ema = 0.5;
  recipe.evaluate.every = 2;
  recipe.checkpoint.best = metric;
  return recipe;
}

/// What the lines of a run's metrics say is the best, by reading them all: the first of the highest accuracy,
/// or of the lowest of another figure.
inline nlohmann::json best_line(const std::string& folder, const std::string& metric) {
  nlohmann::json best;
  for (const auto& text : timeless_metrics(folder)) {
    const auto line = nlohmann::json::parse(text);
    if (!line.contains("split")) continue;
    const auto figure = [&](const nlohmann::json& of) {
      return (metric == "accuracy" ? -1 : 1) * of.at(metric).get<double>();
    };
    if (best.is_null() || figure(line) < figure(best)) best = line;
  }
  return best;
}

/// Expects two choosing runs to have left the same in every checkpoint and every published logit file.
inline void expect_same_choices(const std::string& a, const std::string& b) {
  const auto files = cluster::local_file_system();
  const auto steps = checkpoint_steps(*files, a + "/checkpoints");
  EXPECT_EQ(steps, checkpoint_steps(*files, b + "/checkpoints"));
  for (const int64_t step : steps) expect_same_runs(a, b, step);
  const auto pointer = [&](const std::string& run) {
    return files->read(best_pointer(run + "/checkpoints"));
  };
  EXPECT_EQ(pointer(a), pointer(b));
  const auto summary = [&](const std::string& run) {
    auto json = nlohmann::json::parse(files->read(run + "/summary.json"));
    for (const char* time : {"seconds", "samples_per_second"}) json.erase(time);
    json["evaluation"].erase("seconds");
    return json.dump();
  };
  EXPECT_EQ(summary(a), summary(b));
}

}  // namespace smoothlab::trainer
