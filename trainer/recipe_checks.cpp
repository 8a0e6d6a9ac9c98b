#include "trainer/recipe_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cluster/error.h"
#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

class Checker {
 public:
  explicit Checker(const RecipePlaces& places) : places_(places) {}

  /// The error stands where the key was given, or at the file where it was left out.
  void require(bool holds, const std::string& key, const std::string& what, const std::string& remedy) const {
    if (!holds) throw UsageError(what, places_.at(key), remedy);
  }

 private:
  const RecipePlaces& places_;
};

/// A key that means something under some values of another key only. Networks check their own.
struct Dependence {
  const char* key;
  const char* on;
  std::vector<std::string> values;
};

const std::vector<Dependence>& dependences() {
  static const std::vector<std::string> files = {"mnist", "idx", "cifar10", "cifar100"};
  static const std::vector<Dependence> all = {
      {"task.path", "task.data", files},
      {"task.classes", "task.data", {"generated"}},
      {"task.train_samples", "task.data", {"generated"}},
      {"task.test_samples", "task.data", {"generated"}},
      {"task.noise", "task.data", {"generated"}},
      {"task.data_seed", "task.data", {"generated"}},
      {"optimizer.momentum", "optimizer.name", {"sgd", "rmsprop", "smoothed-sgd"}},
      {"optimizer.nesterov", "optimizer.name", {"sgd"}},
      {"optimizer.beta1", "optimizer.name", {"adam"}},
      {"optimizer.beta2", "optimizer.name", {"adam"}},
      {"optimizer.epsilon", "optimizer.name", {"adam", "rmsprop"}},
      {"optimizer.decay", "optimizer.name", {"rmsprop"}},
      {"optimizer.epsilon_inside", "optimizer.name", {"rmsprop"}},
      {"schedule.at", "schedule.name", {"step"}},
      {"schedule.factor", "schedule.name", {"step", "exponential"}},
      {"schedule.every", "schedule.name", {"exponential"}},
      {"schedule.staircase", "schedule.name", {"exponential"}},
      {"schedule.final_factor", "schedule.name", {"linear", "cosine"}},
  };
  return all;
}

std::string written(const Recipe& recipe, const std::string& path) {
  for (const auto& key : recipe_keys())
    if (key.path == path) return key.write(recipe);
  throw RunError("no key is called '" + path + "'", "recipe checks", "correct the table");
}

void check_dependences(const Checker& checker, const Recipe& recipe) {
  const Recipe defaults;
  for (const auto& [key, on, values] : dependences()) {
    const std::string chosen = written(recipe, on);
    if (std::find(values.begin(), values.end(), chosen) != values.end()) continue;
    checker.require(written(recipe, key) == written(defaults, key), key,
                    fmt::format("'{}' means nothing where {} is {}", key, on, chosen),
                    fmt::format("leave it out, or set {} to {}", on, fmt::join(values, " or ")));
  }
}

void check_optimizer(const Checker& checker, const OptimizerOptions& optimizer) {
  checker.require(!optimizer.nesterov || optimizer.momentum > 0, "optimizer.nesterov",
                  "Nesterov's form needs momentum", "give optimizer.momentum, 0.9 as a rule");
}

void check_schedule(const Checker& checker, const ScheduleOptions& schedule) {
  checker.require(schedule.name != "step" || !schedule.at.empty(), "schedule.at",
                  "schedule 'step' without boundaries", "give them as at: [32000, 48000]");
  checker.require(schedule.name != "exponential" || schedule.every >= 1, "schedule.every",
                  "schedule 'exponential' without a period",
                  "give the steps between two factors as every: N");
}

}  // namespace

void check_recipe(const Recipe& recipe) {
  const Checker checker(recipe.places);
  const auto& task = recipe.task;
  checker.require(!task.data.empty(), "task.data", "'task.data' is missing",
                  "name a data set: mnist, idx, cifar10, cifar100, generated");
  checker.require(task.data == "generated" || !task.path.empty(), "task.path",
                  fmt::format("'task.path' is missing, the folder of {}'s files", task.data),
                  "give it, as ${SMOOTHLAB_DATA}/mnist");
  checker.require(task.augment.contrast_low <= task.augment.contrast_high, "task.augment.contrast_low",
                  "contrast_low is above contrast_high", "exchange them");
  checker.require(task.data != "generated" || task.validation < task.train_samples, "task.validation",
                  fmt::format("{} samples cannot be held out of {}", task.validation, task.train_samples),
                  "hold out fewer");
  check_dependences(checker, recipe);
  recipe.places.locate([&] { models::check_network_options(recipe.model); });
  check_optimizer(checker, recipe.optimizer);
  check_schedule(checker, recipe.schedule);
  const auto& train = recipe.train;
  checker.require(train.steps > 0 || train.epochs > 0, "train.steps", "the length of the run is missing",
                  "give train.steps or train.epochs");
  checker.require(train.steps == 0 || train.epochs == 0, "train.epochs",
                  "train.steps and train.epochs are both given", "keep one; 0 takes one back");
  checker.require(!train.ema_warmup || train.ema > 0, "train.ema_warmup",
                  "'train.ema_warmup' means nothing without an average", "leave it out, or give train.ema");
}

}  // namespace smoothlab::trainer
