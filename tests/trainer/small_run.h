#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "cluster/stop_signal.h"
#include "trainer/recipe.h"
#include "trainer/training_run.h"

namespace smoothlab::trainer {

/// A run of a few seconds that uses what a run can use: dropout, momentum, clipping, averages, warm-up, a
/// held-out split, metrics windows that do not end where checkpoints do, epochs that end within a batch.
inline Recipe small_recipe() {
  Recipe recipe;
  recipe.task.data = "generated";
  recipe.task.classes = 4;
  recipe.task.train_samples = 90;
  recipe.task.test_samples = 40;
  recipe.task.validation = 21;
  recipe.task.augment.flip = true;
  recipe.task.augment.shift = 2;
  recipe.model.name = "mlp";
  recipe.model.hidden = {24};
  recipe.model.dropout = 0.2;
  recipe.targets.alpha = 0.1;
  recipe.optimizer.name = "sgd";
  recipe.optimizer.lr = 0.05;
  recipe.optimizer.momentum = 0.9;
  recipe.optimizer.nesterov = true;
  recipe.optimizer.weight_decay = 1e-4;
  recipe.optimizer.clip_norm = 1.0;
  recipe.schedule.name = "cosine";
  recipe.schedule.warmup = 3;
  recipe.train.steps = 20;
  recipe.train.global_batch = 13;
  recipe.train.ema = 0.9;
  recipe.train.log_every = 3;
  recipe.train.device = "cpu";
  recipe.evaluate.every = 8;
  recipe.evaluate.batch = 8;
  recipe.checkpoint.every = 4;
  return recipe;
}

/// The same with batch normalisation, bf16 and gradient accumulation.
inline Recipe small_resnet_recipe() {
  Recipe recipe = small_recipe();
  recipe.model = {};
  recipe.model.name = "resnet8";
  recipe.train.precision = "bf16";
  recipe.train.micro_batch = 4;
  recipe.train.steps = 8;
  recipe.evaluate.every = 5;
  recipe.checkpoint.every = 3;
  recipe.train.log_every = 2;
  return recipe;
}

/// Many tests run at a time, and a second thread that waits for its turn on a busy core makes small steps ten
/// times slower. A run that may use one core takes one thread.
inline void use_one_core() {
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(sched_getcpu(), &core);
  sched_setaffinity(0, sizeof core, &core);
}

inline RunOutcome run_to_end(const Recipe& recipe, const std::string& folder, bool resume,
                             cluster::Communicator& communicator, cluster::FileSystem& files) {
  cluster::Log log(communicator.rank(), true);
  RunOptions options;
  options.folder = folder;
  options.resume = resume;
  options.quiet = true;
  TrainingRun run(recipe, options, communicator, files, log);
  const cluster::StopSignal stop;
  return run.train(stop);
}

/// metrics.jsonl without the fields that say how long things took.
inline std::vector<std::string> timeless_metrics(const std::string& folder) {
  std::istringstream lines(cluster::local_file_system()->read(folder + "/metrics.jsonl"));
  std::vector<std::string> result;
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    json.erase("seconds");
    json.erase("samples_per_second");
    json.erase("host_seconds");
    result.push_back(json.dump());
  }
  return result;
}

/// Expects two runs to have left the same newest checkpoint, byte for byte but for the seconds, and the same
/// metrics.
inline void expect_same_runs(const std::string& a, const std::string& b, int64_t step) {
  const auto files = cluster::local_file_system();
  const std::string checkpoint = "/checkpoints/step-" + std::to_string(step);
  ASSERT_TRUE(files->exists(a + checkpoint)) << a;
  ASSERT_TRUE(files->exists(b + checkpoint)) << b;
  std::vector<std::string> names = files->list(a + checkpoint);
  for (const auto& name : files->list(a + checkpoint + "/ranks")) names.push_back("ranks/" + name);
  for (const auto& name : names) {
    if (name == "ranks" || name == "manifest.json")
      continue;  // the manifest lists state.json, with its seconds
    std::string of_a = files->read(a + checkpoint + "/" + name),
                of_b = files->read(b + checkpoint + "/" + name);
    if (name == "state.json") {
      auto json_a = nlohmann::json::parse(of_a), json_b = nlohmann::json::parse(of_b);
      for (auto* json : {&json_a, &json_b}) {
        json->erase("seconds");
        if (!(*json)["best"].is_null()) (*json)["best"]["evaluation"].erase("seconds");
      }
      of_a = json_a.dump();
      of_b = json_b.dump();
    }
    EXPECT_TRUE(of_a == of_b) << name << " of step " << step << " differs";
  }
  EXPECT_EQ(timeless_metrics(a), timeless_metrics(b));
}

}  // namespace smoothlab::trainer
