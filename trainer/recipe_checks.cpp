#include "trainer/recipe_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "cluster/error.h"
#include "models/transformer.h"
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

/// A key that means something under some values of another key only; without values, where that key has
/// another value than its default.
struct Dependence {
  const char* key;
  const char* on;
  std::vector<std::string> values;
};

const std::vector<Dependence>& dependences() {
  static const std::vector<std::string> files = {"mnist", "idx", "cifar10", "cifar100", "imagenet", "text"};
  static const std::vector<std::string> small = {"mnist", "idx", "cifar10", "cifar100", "generated"};
  static const std::vector<std::string> images = {"mnist",    "idx",      "cifar10",
                                                  "cifar100", "imagenet", "generated"};
  static const std::vector<std::string> seeded = {"generated", "generated_text", "imagenet"};
  static const std::vector<std::string> photographs = {"imagenet"};
  static const std::vector<std::string> generated = {"generated", "generated_text"};
  static const std::vector<std::string> cut = {"mnist",    "idx",       "cifar10",       "cifar100",
                                               "imagenet", "generated", "generated_text"};
  static const std::vector<std::string> transformers = {"transformer_tiny", "transformer_small",
                                                        "transformer_base", "transformer_big"};
  static const std::vector<std::string> dropping = {
      "mlp", "inception_v4", "transformer_tiny", "transformer_small", "transformer_base", "transformer_big"};
  static const std::vector<Dependence> all = {
      {"task.path", "task.data", files},
      {"task.validation", "task.data", cut},
      {"task.augment.pad", "task.data", small},
      {"task.augment.crop", "task.data", small},
      {"task.augment.flip", "task.data", images},
      {"task.augment.shift", "task.data", small},
      {"task.augment.brightness", "task.data", small},
      {"task.augment.contrast_low", "task.data", small},
      {"task.augment.contrast_high", "task.data", small},
      {"task.augment.draws", "task.data", images},
      {"task.augment.seed", "task.data", images},
      {"task.augment.normalize", "task.data", images},
      {"task.augment.size", "task.data", photographs},
      {"task.augment.area_low", "task.data", photographs},
      {"task.augment.area_high", "task.data", photographs},
      {"task.augment.aspect_low", "task.data", photographs},
      {"task.augment.aspect_high", "task.data", photographs},
      {"task.augment.jitter", "task.data", photographs},
      {"task.augment.centre", "task.data", photographs},
      {"task.augment.centre_shape", "task.data", photographs},
      {"task.augment.filter", "task.data", photographs},
      {"task.augment.scaled_decoding", "task.data", photographs},
      {"task.damaged", "task.data", photographs},
      {"task.classes", "task.data", {"generated"}},
      {"task.train_samples", "task.data", generated},
      {"task.test_samples", "task.data", generated},
      {"task.noise", "task.data", {"generated"}},
      {"task.data_seed", "task.data", seeded},
      {"model.hidden", "model.name", {"mlp"}},
      {"model.dropout", "model.name", dropping},
      {"model.auxiliary_head", "model.name", {"inception_v4"}},
      {"model.form", "model.name", transformers},
      {"model.layers", "model.name", transformers},
      {"model.width", "model.name", transformers},
      {"model.feed_forward", "model.name", transformers},
      {"model.heads", "model.name", transformers},
      {"model.attention_dropout", "model.name", transformers},
      {"model.relu_dropout", "model.name", transformers},
      {"train.global_tokens", "task.data", {"text", "generated_text"}},
      {"train.global_batch", "train.global_tokens", {"0"}},
      {"train.micro_batch", "train.global_tokens", {"0"}},
      {"train.micro_tokens", "train.global_tokens", {}},
      {"model.input_dropout", "model.name", {"mlp"}},
      {"model.initialisation", "model.name", {"mlp"}},
      {"optimizer.momentum", "optimizer.name", {"sgd", "rmsprop", "smoothed-sgd"}},
      {"optimizer.nesterov", "optimizer.name", {"sgd"}},
      {"optimizer.beta1", "optimizer.name", {"adam"}},
      {"optimizer.beta2", "optimizer.name", {"adam"}},
      {"optimizer.epsilon", "optimizer.name", {"adam", "rmsprop"}},
      {"optimizer.decay", "optimizer.name", {"rmsprop"}},
      {"optimizer.epsilon_inside", "optimizer.name", {"rmsprop"}},
      {"teacher.run", "teacher.loss", {"paper", "hinton", "logit-mse"}},
      {"teacher.logits", "teacher.loss", {"paper", "hinton", "logit-mse"}},
      {"teacher.beta", "teacher.loss", {"paper", "hinton", "logit-mse"}},
      {"teacher.temperature", "teacher.loss", {"paper", "hinton"}},
      {"schedule.at", "schedule.name", {"step"}},
      {"schedule.factor", "schedule.name", {"step", "exponential"}},
      {"schedule.every", "schedule.name", {"exponential"}},
      {"schedule.staircase", "schedule.name", {"exponential"}},
      {"schedule.final_factor", "schedule.name", {"linear", "cosine"}},
      {"logits.every", "logits.splits", {}},
      {"logits.at", "logits.splits", {}},
      {"logits.keep", "logits.splits", {}},
      {"logits.penultimate", "logits.splits", {}},
      {"logits.precision", "logits.splits", {}},
      {"logits.penultimate", "logits.keep", {"full"}},
      {"logits.precision", "logits.keep", {"full"}},
      {"information.every", "information.classes", {}},
      {"information.examples", "information.classes", {}},
      {"information.draws", "information.classes", {}},
      {"checkpoint.best", "evaluate.every", {}},
  };
  return all;
}

std::string written(const Recipe& recipe, const std::string& path) {
  for (const auto& key : recipe_keys())
    if (key.path == path) return key.write(recipe);
  throw RunError("no key is called '" + path + "'", "recipe checks", "correct the table");
}

bool applies(const Recipe& recipe, const Dependence& dependence) {
  const auto& values = dependence.values;
  if (values.empty()) return written(recipe, dependence.on) != written(Recipe(), dependence.on);
  return std::find(values.begin(), values.end(), written(recipe, dependence.on)) != values.end();
}

void check_dependences(const Checker& checker, const Recipe& recipe) {
  const Recipe defaults;
  for (const auto& dependence : dependences()) {
    if (applies(recipe, dependence)) continue;
    const std::string key = dependence.key, on = dependence.on;
    checker.require(written(recipe, key) == written(defaults, key), key,
                    fmt::format("'{}' means nothing where {} is {}", key, on, written(recipe, on)),
                    dependence.values.empty() ? fmt::format("leave it out, or give {}", on)
                                              : fmt::format("leave it out, or set {} to {}", on,
                                                            fmt::join(dependence.values, " or ")));
  }
}

void check_augment(const Checker& checker, const data::TaskOptions& task) {
  const bool photographs = task.data == "imagenet";
  const auto& normalize = task.augment.normalize;
  const bool fits =
      photographs ? normalize != "per_image" : normalize != "inception" && normalize != "imagenet";
  checker.require(fits, "task.augment.normalize",
                  fmt::format("'{}' is no normalisation of {}", normalize, task.data),
                  photographs ? "use unit, inception, imagenet or none" : "use unit, per_image or none");
  const auto& augment = task.augment;
  const auto ordered = [&](double low, double high, const std::string& name) {
    checker.require(low <= high, "task.augment." + name + "_low",
                    fmt::format("{0}_low is above {0}_high", name), "exchange them");
  };
  ordered(augment.contrast_low, augment.contrast_high, "contrast");
  ordered(augment.area_low, augment.area_high, "area");
  ordered(augment.aspect_low, augment.aspect_high, "aspect");
}

void check_optimizer(const Checker& checker, const OptimizerOptions& optimizer) {
  checker.require(!optimizer.nesterov || optimizer.momentum > 0, "optimizer.nesterov",
                  "Nesterov's form needs momentum", "give optimizer.momentum, 0.9 as a rule");
}

void check_schedule(const Checker& checker, const ScheduleOptions& schedule) {
  // What is left out has no place; the name that asks for it has.
  checker.require(schedule.name != "step" || !schedule.at.empty(), "schedule.name",
                  "schedule 'step' without boundaries", "give them as schedule.at, such as [32000, 48000]");
  checker.require(schedule.name != "exponential" || schedule.every >= 1, "schedule.name",
                  "schedule 'exponential' without a period",
                  "give the steps or epochs between two factors as schedule.every");
  checker.require(
      schedule.unit == "steps" || !schedule.at.empty() || schedule.every > 0 || schedule.warmup > 0,
      "schedule.unit", "'schedule.unit' means nothing without anything that it counts",
      "leave it out, or give schedule.at, schedule.every or schedule.warmup");
}

void check_text(const Checker& checker, const Recipe& recipe) {
  const bool text = data::is_text(recipe.task.data),
             reads_text = models::transformer_size(recipe.model.name).has_value();
  checker.require(text == reads_text, "model.name",
                  fmt::format("'{}' reads {}, and task.data is {}", recipe.model.name,
                              reads_text ? "text" : "images", recipe.task.data),
                  text ? "use a transformer" : "use a network for images");
  checker.require(!text || recipe.teacher.loss == "none", "teacher.loss",
                  "networks that read text have no teachers", "leave the teacher out");
}

void check_teacher(const Checker& checker, const Recipe& recipe) {
  const TeacherOptions& teacher = recipe.teacher;
  if (teacher.loss == "none") return;
  checker.require(!teacher.run.empty() || !teacher.logits.empty(), "teacher.loss",
                  fmt::format("a loss '{}' without a teacher", teacher.loss),
                  "name its folder as teacher.run, or its logit file as teacher.logits");
  const TargetOptions none;
  const bool targets = recipe.targets.alpha != none.alpha || recipe.targets.disturb_label != 0 ||
                       recipe.targets.confidence_penalty != 0;
  checker.require(teacher.beta < 1 || !targets, "targets.alpha",
                  "targets mean nothing where teacher.beta is 1: the teacher's are all that is learnt",
                  "leave them out, or give a teacher.beta below 1");
  const auto& augment = recipe.task.augment;
  checker.require(teacher.logits.empty() || !recipe.task.varies() || augment.draws > 0, "teacher.logits",
                  "logits cannot be replayed of inputs that look otherwise in every epoch",
                  "give task.augment.draws, after how many epochs they come again");
}

}  // namespace

void check_recipe(const Recipe& recipe) {
  const Checker checker(recipe.places);
  const auto& task = recipe.task;
  checker.require(
      !task.data.empty(), "task.data", "'task.data' is missing",
      "name a data set: mnist, idx, cifar10, cifar100, imagenet, generated, generated_text, text");
  const bool generated = task.data == "generated" || task.data == "generated_text";
  checker.require(generated || !task.path.empty(), "task.path",
                  fmt::format("'task.path' is missing, the folder of {}'s files", task.data),
                  "give it, as ${SMOOTHLAB_DATA}/mnist");
  check_augment(checker, task);
  checker.require(!generated || task.validation < task.train_samples, "task.validation",
                  fmt::format("{} samples cannot be held out of {}", task.validation, task.train_samples),
                  "hold out fewer");
  recipe.places.locate([&] { models::check_network_options(recipe.model); });
  check_dependences(checker, recipe);
  check_optimizer(checker, recipe.optimizer);
  check_schedule(checker, recipe.schedule);
  check_teacher(checker, recipe);
  check_text(checker, recipe);
  const std::string& split = recipe.evaluate.split;
  checker.require(recipe.checkpoint.best == "none" || split == "validation", "evaluate.split",
                  fmt::format("checkpoint.best chooses on held-out samples, and evaluate.split is {}", split),
                  "set it to validation and judge what was chosen by logits.splits or evaluate --split test");
  const auto& train = recipe.train;
  checker.require(train.steps > 0 || train.epochs > 0, "train.steps", "the length of the run is missing",
                  "give train.steps or train.epochs");
  checker.require(train.steps == 0 || train.epochs == 0, "train.epochs",
                  "train.steps and train.epochs are both given", "keep one; 0 takes one back");
  checker.require(!train.ema_warmup || train.ema > 0, "train.ema_warmup",
                  "'train.ema_warmup' means nothing without an average", "leave it out, or give train.ema");
  if (generated) check_batch_fits(recipe, task.train_samples - task.validation);
}

void check_batch_fits(const Recipe& recipe, int64_t train_samples) {
  Checker(recipe.places)
      .require(recipe.train.global_tokens > 0 || recipe.train.global_batch <= train_samples,
               "train.global_batch",
               fmt::format("a global batch of {} is larger than the training split of {}",
                           recipe.train.global_batch, train_samples),
               fmt::format("give at most {}", train_samples));
}

void check_choice(const Recipe& recipe, const std::string& evaluated) {
  Checker(recipe.places)
      .require(
          recipe.checkpoint.best == "none" || evaluated == "validation", "checkpoint.best",
          fmt::format("no samples are held out, and a checkpoint is not chosen on the {} split", evaluated),
          "hold samples out, as with task.validation, or set checkpoint.best to none");
}

bool means_nothing(const Recipe& recipe, const std::string& key) {
  const std::string value = written(recipe, key);
  if (value != written(Recipe(), key)) return false;
  if (value == write_value(std::string())) return true;
  static const std::set<std::string> told_by_absence = {"logits.splits", "information.classes",
                                                        "checkpoint.best", "schedule.unit"};
  if (told_by_absence.count(key) > 0) return true;
  if (key == "train.steps" || key == "train.epochs") return value == "0";
  if (key == "train.ema_warmup") return recipe.train.ema == 0;
  const auto& all = dependences();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& one) { return one.key == key && !applies(recipe, one); });
}

}  // namespace smoothlab::trainer
