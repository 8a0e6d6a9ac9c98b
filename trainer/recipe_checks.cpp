#include "trainer/recipe_checks.h"

#include <fmt/format.h>

#include <cctype>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::trainer {
namespace {

class Checker {
 public:
  Checker(const std::map<std::string, Place>& given, std::string name)
      : given_(given), name_(std::move(name)) {}

  /// The error stands where the key was given, or at the file where it was left out.
  void require(bool holds, const std::string& key, const std::string& what, const std::string& remedy) const {
    if (holds) return;
    const auto place = given_.find(key);
    throw UsageError(what, place == given_.end() ? name_ + ": " + key : place->second.at(key), remedy);
  }

 private:
  const std::map<std::string, Place>& given_;
  std::string name_;
};

/// The N of "resnetN" with this suffix, 0 for any other name.
int64_t resnet_depth(const std::string& name, const std::string& suffix) {
  const std::string head = "resnet";
  if (name.size() <= head.size() + suffix.size() || name.compare(0, head.size(), head) != 0 ||
      name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
    return 0;
  const std::string digits = name.substr(head.size(), name.size() - head.size() - suffix.size());
  if (digits.size() > 4 || digits[0] == '0') return 0;
  for (const char c : digits)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return 0;
  return std::stoll(digits);
}

void check_model(const Checker& checker, const models::NetworkOptions& model) {
  checker.require(!model.name.empty(), "model.name", "'model.name' is missing",
                  "name a network: mlp, alexnet_tutorial, resnet56, resnet56_t2t");
  const bool mlp = model.name == "mlp";
  const int64_t depth = resnet_depth(model.name, "") + resnet_depth(model.name, "_t2t");
  checker.require(mlp || model.name == "alexnet_tutorial" || depth > 0, "model.name",
                  fmt::format("unknown network '{}'", model.name),
                  suggest_name(model.name, {"mlp", "alexnet_tutorial", "resnet20", "resnet56", "resnet110",
                                            "resnet20_t2t", "resnet56_t2t", "resnet110_t2t"}));
  checker.require(depth == 0 || (depth >= 8 && depth % 6 == 2), "model.name",
                  fmt::format("no residual network has {} layers", depth),
                  "depths are 6n+2: 8, 14, 20, ..., 56, ..., 110");
  for (const int64_t units : model.hidden)
    checker.require(units >= 1, "model.hidden", "a hidden layer without units", "give at least 1");
  checker.require(mlp || model.hidden.empty(), "model.hidden",
                  fmt::format("'{}' has no hidden layers to choose", model.name), "leave the key out");
  checker.require(mlp || (model.dropout == 0 && model.input_dropout == 0),
                  model.dropout != 0 ? "model.dropout" : "model.input_dropout",
                  fmt::format("'{}' has no dropout", model.name), "leave the key out");
}

void check_optimizer(const Checker& checker, const OptimizerOptions& optimizer) {
  const bool takes_momentum = optimizer.name != "adam";
  checker.require(takes_momentum || optimizer.momentum == 0, "optimizer.momentum",
                  fmt::format("'{}' has no momentum", optimizer.name), "leave the key out, or name sgd");
  checker.require(!optimizer.nesterov || optimizer.name == "sgd", "optimizer.nesterov",
                  fmt::format("'{}' has no Nesterov form", optimizer.name), "leave the key out, or name sgd");
  checker.require(!optimizer.nesterov || optimizer.momentum > 0, "optimizer.nesterov",
                  "Nesterov's form needs momentum", "give optimizer.momentum, 0.9 as a rule");
  checker.require(!optimizer.epsilon_inside || optimizer.name == "rmsprop", "optimizer.epsilon_inside",
                  fmt::format("'{}' takes epsilon outside the root alone", optimizer.name),
                  "leave the key out, or name rmsprop");
}

void check_schedule(const Checker& checker, const ScheduleOptions& schedule) {
  checker.require(schedule.name != "step" || !schedule.at.empty(), "schedule.at",
                  "schedule 'step' without boundaries", "give them as at: [32000, 48000]");
  checker.require(schedule.name == "step" || schedule.at.empty(), "schedule.at",
                  fmt::format("schedule '{}' has no boundaries", schedule.name),
                  "leave the key out, or name step");
  checker.require(schedule.name != "exponential" || schedule.every >= 1, "schedule.every",
                  "schedule 'exponential' without a period",
                  "give the steps between two factors as every: N");
}

}  // namespace

void check_recipe(const Recipe& recipe, const std::map<std::string, Place>& given, const std::string& name) {
  const Checker checker(given, name);
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
  check_model(checker, recipe.model);
  check_optimizer(checker, recipe.optimizer);
  check_schedule(checker, recipe.schedule);
  const auto& train = recipe.train;
  checker.require(train.steps > 0 || train.epochs > 0, "train.steps", "the length of the run is missing",
                  "give train.steps or train.epochs");
  checker.require(train.steps == 0 || train.epochs == 0, "train.epochs",
                  "train.steps and train.epochs are both given", "keep one; 0 takes one back");
}

}  // namespace smoothlab::trainer
