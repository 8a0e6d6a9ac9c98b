#include "trainer/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cluster/error.h"
#include "support/temporary_folder.h"
#include "trainer/recipe_keys.h"
#include "trainer/run_plan.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

const std::string small = R"(task: {data: generated}
model: {name: mlp, hidden: [32]}
train: {steps: 10}
)";

Recipe parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_recipe(text, "recipe.yaml", overrides);
}

/// The error that a text gives.
UsageError error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const UsageError& e) {
    EXPECT_EQ(static_cast<int>(e.code()), 2);
    EXPECT_FALSE(e.remedy().empty()) << e.what();
    return e;
  }
  ADD_FAILURE() << "no error from: " << text;
  return UsageError("", "", "");
}

TEST(Recipe, ReadsTheDesignsOutline) {
  setenv("SMOOTHLAB_TEST_FOLDER", "/some/where", 1);
  const Recipe recipe = parse(R"(
task:      {data: cifar100, path: ${SMOOTHLAB_TEST_FOLDER}/cifar-100-binary, validation: 10000}
model:     {name: resnet56_t2t}
targets:   {alpha: 0.05, convention: uniform}
optimizer: {name: sgd, nesterov: true, lr: 0.1, momentum: 0.9, weight_decay: 1e-4, clip_norm: 1.0}
schedule:  {name: step, at: [32000, 48000], factor: 0.1}
train:     {steps: 64000, global_batch: 128, seed: 1, precision: bf16, loss_scale: 3}
evaluate:  {every: 1000}
checkpoint: {every: 1000, keep: 2}
)");
  EXPECT_EQ(recipe.task.data, "cifar100");
  EXPECT_EQ(recipe.task.path, "/some/where/cifar-100-binary");
  EXPECT_EQ(recipe.task.validation, 10000);
  EXPECT_EQ(recipe.model.name, "resnet56_t2t");
  EXPECT_DOUBLE_EQ(recipe.targets.alpha, 0.05);
  EXPECT_TRUE(recipe.optimizer.nesterov);
  EXPECT_DOUBLE_EQ(recipe.optimizer.weight_decay, 1e-4);
  EXPECT_EQ(recipe.schedule.at, (std::vector<int64_t>{32000, 48000}));
  EXPECT_EQ(recipe.train.precision, "bf16");
  EXPECT_DOUBLE_EQ(recipe.train.loss_scale, 3);
  EXPECT_EQ(recipe.evaluate.every, 1000);
}

TEST(Recipe, ReadsGroupsAndAugmentation) {
  const Recipe recipe = parse(R"(
task:
  data: generated
  augment: {pad: 4, crop: 32, flip: true, normalize: per_image}
model: {name: mlp}
optimizer:
  groups:
    - {match: "fc3*", lr_scale: 0.1}
    - match: local
      weight_decay: 0.04
train: {epochs: 5}
)");
  ASSERT_EQ(recipe.optimizer.groups.size(), 2u);
  EXPECT_EQ(recipe.optimizer.groups[0].match, "fc3*");
  EXPECT_DOUBLE_EQ(recipe.optimizer.groups[0].lr_scale, 0.1);
  EXPECT_DOUBLE_EQ(recipe.optimizer.groups[0].weight_decay, -1);
  EXPECT_DOUBLE_EQ(recipe.optimizer.groups[1].weight_decay, 0.04);
  EXPECT_EQ(recipe.task.augment.pad, 4);
  EXPECT_TRUE(recipe.task.augment.flip);
  EXPECT_EQ(recipe.task.augment.normalize, "per_image");
  EXPECT_EQ(recipe.train.epochs, 5);
}

TEST(Recipe, NamesFileLineKeyAndNearestKeyOfAMisspeltOne) {
  const auto e = error_of(small + "targets:\n  convention: uniform\n  alhpa: 0.1\n");
  EXPECT_EQ(std::string(e.what()),
            "unknown key 'alhpa' (recipe.yaml:6: targets.alhpa); did you mean 'alpha'?");
}

TEST(Recipe, FindsUnknownKeysAtEveryLevel) {
  EXPECT_THAT(error_of(small + "optimiser: {lr: 1}\n").what(),
              testing::AllOf(HasSubstr("recipe.yaml:4: optimiser"), HasSubstr("'optimizer'")));
  EXPECT_THAT(error_of("task:\n  data: generated\n  augment:\n    flipp: true\n").what(),
              testing::AllOf(HasSubstr("recipe.yaml:4: task.augment.flipp"), HasSubstr("'flip'")));
  EXPECT_THAT(
      error_of(small + "optimizer:\n  groups:\n    - match: fc\n      lr_scael: 1\n").what(),
      testing::AllOf(HasSubstr("recipe.yaml:7: optimizer.groups[0].lr_scael"), HasSubstr("'lr_scale'")));
  EXPECT_THAT(error_of("task: {data: generated}\ntrain: {lr: 1}\n").remedy(), HasSubstr("'optimizer.lr'"));
}

struct Bad {
  const char* text;
  const char* key;
  const char* remedy;  ///< part of it
};

TEST(Recipe, RefusesWrongTypesAndImpossibleValues) {
  const std::vector<Bad> cases = {
      {"train: {steps: 1.5}", "train.steps", ""},
      {"train: {steps: 1e5}", "train.steps", ""},
      {"train: {steps: true}", "train.steps", ""},
      {"train: {steps: \"5\"}", "train.steps", ""},
      {"train: {steps: [5]}", "train.steps", ""},
      {"train: {steps: {a: 1}}", "train.steps", ""},
      {"train: {steps: }", "train.steps", ""},
      {"train: {steps: 99999999999999999999}", "train.steps", "9223372036854775807"},
      {"train: {steps: -1}", "train.steps", "at least 0"},
      {"train: {seed: -1}", "train.seed", ""},
      {"train: {seed: 18446744073709551616}", "train.seed", ""},
      {"train: {global_batch: 0}", "train.global_batch", "at least 1"},
      {"train: {channels_last: yes}", "train.channels_last", "true or false"},
      {"train: {channels_last: 1}", "train.channels_last", "true or false"},
      {"train: {precision: bf61}", "train.precision", "'bf16'"},
      {"train: {loss_scale: 0}", "train.loss_scale", "above 0"},
      {"train: {ema: 1}", "train.ema", ""},
      {"targets: {alpha: 1.1}", "targets.alpha", "0 to 1"},
      {"targets: {alpha: -0.1}", "targets.alpha", "0 to 1"},
      {"targets: {alpha: true}", "targets.alpha", ""},
      {"targets: {alpha: .nan}", "targets.alpha", ""},
      {"targets: {alpha: 1e999}", "targets.alpha", ""},
      {"targets: {alpha: \"0.1\"}", "targets.alpha", "without quotes"},
      {"targets: {convention: unifrom}", "targets.convention", "'uniform'"},
      {"targets: {convention: 3}", "targets.convention", "quotes"},
      {"targets: [1]", "targets", ""},
      {"optimizer: {lr: 0}", "optimizer.lr", "above 0"},
      {"optimizer: {name: agd}", "optimizer.name", "'sgd'"},
      {"optimizer: {momentum: 1}", "optimizer.momentum", ""},
      {"optimizer: {nesterov: true}", "optimizer.nesterov", "momentum"},
      {"optimizer: {name: adam, momentum: 0.9}", "optimizer.momentum", "sgd or rmsprop or smoothed-sgd"},
      {"optimizer: {name: sgd, beta1: 0.8}", "optimizer.beta1", "optimizer.name to adam"},
      {"optimizer: {name: rmsprop, beta2: 0.8}", "optimizer.beta2", "adam"},
      {"optimizer: {name: sgd, epsilon: 1e-3}", "optimizer.epsilon", "adam or rmsprop"},
      {"optimizer: {name: adam, decay: 0.5}", "optimizer.decay", "rmsprop"},
      {"optimizer: {name: adam, epsilon_inside: true}", "optimizer.epsilon_inside", "rmsprop"},
      {"schedule: {name: cosine, factor: 0.01}", "schedule.factor", "step or exponential"},
      {"schedule: {name: constant, final_factor: 0.5}", "schedule.final_factor", "linear or cosine"},
      {"schedule: {name: linear, at: [5]}", "schedule.at", "schedule.name to step"},
      {"schedule: {name: step, at: [5], every: 4}", "schedule.every", "exponential"},
      {"schedule: {name: step, at: [5], staircase: true}", "schedule.staircase", "exponential"},
      {"train: {steps: 1, ema_warmup: true}", "train.ema_warmup", "train.ema"},
      {"optimizer: {groups: {match: a}}", "optimizer.groups", ""},
      {"optimizer: {groups: [{lr_scale: 1}]}", "optimizer.groups[0]", ""},
      {"optimizer: {groups: [{match: a, match: b}]}", "optimizer.groups[0].match", ""},
      {"optimizer: {groups: [{match: a, weight_decay: -0.5}]}", "optimizer.groups[0].weight_decay", ""},
      {"schedule: {name: setp}", "schedule.name", "'step'"},
      {"schedule: {name: step}", "schedule.name", "schedule.at"},
      {"schedule: {name: step, at: [5, 5]}", "schedule.at", "increasing"},
      {"schedule: {name: step, at: [7, 5]}", "schedule.at", "increasing"},
      {"schedule: {name: step, at: [0, 5]}", "schedule.at", "positive"},
      {"schedule: {name: step, at: [1, 2.5]}", "schedule.at[1]", ""},
      {"schedule: {name: step, at: 5}", "schedule.at", ""},
      {"schedule: {name: exponential}", "schedule.name", "schedule.every"},
      {"train: {steps: 1, global_batch: 2501}", "train.global_batch", "at most 2500"},
      {"evaluate: {split: tset}", "evaluate.split", "'test'"},
      {"checkpoint: {keep: 0}", "checkpoint.keep", "at least 1"},
      {"checkpoint: {best: accuracy}", "checkpoint.best", "give evaluate.every"},
      {"checkpoint: {best: acuracy}", "checkpoint.best", "'accuracy'"},
      {"checkpoint: {best: ece}", "checkpoint.best", ""},
      {"checkpoint: {best: true}", "checkpoint.best", ""},
      {"evaluate: {every: 1, split: test}\ncheckpoint: {best: nll}", "evaluate.split", "to validation"},
      {"evaluate: {every: 1, split: train}\ncheckpoint: {best: nll}", "evaluate.split", "--split test"},
      {"schedule: {unit: epoch}", "schedule.unit", "'epochs'"},
      {"schedule: {name: cosine, unit: epochs}", "schedule.unit", "schedule.warmup"},
  };
  for (const auto& bad : cases) {
    std::string text = "task: {data: generated}\nmodel: {name: mlp}\n";
    if (std::string(bad.text).find("train:") == std::string::npos) text += "train: {steps: 1}\n";
    const auto e = error_of(text + bad.text + "\n");
    EXPECT_THAT(e.where(), testing::StartsWith("recipe.yaml")) << bad.text;
    EXPECT_THAT(e.where(), testing::EndsWith(std::string(": ") + bad.key)) << bad.text << e.what();
    EXPECT_THAT(e.remedy(), HasSubstr(bad.remedy)) << bad.text;
  }
}

TEST(Recipe, RefusesWrongTasksAndModels) {
  const auto with = [](const std::string& task, const std::string& model) {
    return error_of("task: {" + task + "}\nmodel: {" + model + "}\ntrain: {steps: 1}\n");
  };
  EXPECT_THAT(with("data: cifra10", "name: mlp").remedy(), HasSubstr("'cifar10'"));
  EXPECT_THAT(with("data: cifar10", "name: mlp").where(), HasSubstr("task.path"));
  EXPECT_THAT(with("data: generated, path: /x", "name: mlp").where(), HasSubstr("1: task.path"));
  EXPECT_THAT(with("data: cifar10, path: /x, noise: 3", "name: mlp").where(), HasSubstr("1: task.noise"));
  EXPECT_THAT(with("data: mnist, path: /x, classes: 12", "name: mlp").where(), HasSubstr("1: task.classes"));
  EXPECT_THAT(with("data: generated", "name: mlp, initialisation: xavier").where(),
              HasSubstr("recipe.yaml:2: model.initialisation"));
  EXPECT_THAT(with("data: generated", "name: resnet1208").where(), HasSubstr("recipe.yaml:2: model.name"));
  EXPECT_THAT(with("data: generated", "hidden: [5]").problem(), HasSubstr("'model.name' is missing"));
  EXPECT_THAT(with("validation: 5", "name: mlp").where(), HasSubstr("task.data"));
  EXPECT_THAT(with("data: generated", "name: restnet56").remedy(), HasSubstr("'resnet56'"));
  EXPECT_THAT(with("data: generated", "name: resnet57").remedy(), HasSubstr("6n+2"));
  EXPECT_THAT(with("data: generated", "name: resnet56, dropout: 0.5").where(), HasSubstr("2: model.dropout"));
  EXPECT_THAT(with("data: generated", "name: resnet56, auxiliary_head: true").where(),
              HasSubstr("2: model.auxiliary_head"));
  EXPECT_THAT(with("data: generated", "name: mlp, hidden: [0]").where(), HasSubstr("model.hidden"));
  EXPECT_THAT(with("data: generated, validation: 4000", "name: mlp").where(), HasSubstr("task.validation"));
  EXPECT_NO_THROW(parse("task: {data: generated}\nmodel: {name: resnet20_t2t}\ntrain: {steps: 1}\n"));
  EXPECT_NO_THROW(
      parse("task: {data: generated}\nmodel: {name: inception_v4, dropout: 0.2, auxiliary_head: true}\n"
            "train: {steps: 1}\n"));
}

// What a key does not apply to may be at its default: an override takes one back so, and runs of before keep
// every key in their recipe.
TEST(Recipe, TakesADefaultForAKeyThatDoesNotBelong) {
  EXPECT_NO_THROW(parse(small + "schedule: {name: cosine, factor: 0.1}\n"));
  EXPECT_NO_THROW(parse(small + "schedule: {name: step, at: [5], factor: 0.2}\n",
                        {"schedule.name=constant", "schedule.at=[]", "schedule.factor=0.1"}));
  EXPECT_EQ(error_of(small + "schedule: {name: step, at: [5]}\n", {"schedule.name=cosine"}).where(),
            "recipe.yaml:4: schedule.at");
}

/// The place of the error that a recipe's data, targets or network give once they are made.
std::string place_of_failure(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    plan_run(parse(text, overrides), 1);
  } catch (const UsageError& error) {
    return error.where();
  }
  return "none";
}

TEST(Recipe, ErrorsFromBelowNameFileAndLine) {
  const std::string task = "task:\n  data: generated\n  train_samples: 30\n  test_samples: 30\n";
  const std::string rest = "model: {name: mlp, hidden: [4]}\ntrain: {steps: 1, global_batch: 4}\n";
  EXPECT_EQ(place_of_failure(task + rest), "none");
  EXPECT_EQ(place_of_failure(task + "  augment:\n    crop: 40\n" + rest), "recipe.yaml:6: task.augment.crop");
  EXPECT_EQ(place_of_failure(task + rest, {"task.augment.crop=40"}), "--set task.augment.crop=40");
  EXPECT_EQ(place_of_failure(task + rest + "targets: {alpha: 0.1, convention: joeynmt}\n"),
            "recipe.yaml:7: targets.convention");
  EXPECT_EQ(place_of_failure(task + rest +
                             "optimizer:\n  groups:\n    - match: hidden1\n      lr_scale: 2\n"
                             "    - lr_scale: 3\n      match: nothing\n"),
            "recipe.yaml:12: optimizer.groups[1].match");
  EXPECT_EQ(place_of_failure(task + rest, {"optimizer.groups=[{match: nothing}]"}),
            "--set optimizer.groups=[{match: nothing}]");
}

TEST(Recipe, WantsStepsOrEpochsAndNotBoth) {
  const std::string head = "task: {data: generated}\nmodel: {name: mlp}\n";
  EXPECT_THAT(error_of(head).remedy(), HasSubstr("train.epochs"));
  EXPECT_THAT(error_of(head + "train:\n  steps: 3\n  epochs: 4\n").where(), HasSubstr("recipe.yaml:5"));
  EXPECT_EQ(parse(head + "train: {steps: 3}\n", {"train.steps=0", "train.epochs=2"}).train.epochs, 2);
}

TEST(Recipe, RefusesDuplicatesAndWhatIsNotARecipe) {
  EXPECT_THAT(error_of("train:\n  steps: 1\n  steps: 2\n").where(), HasSubstr("recipe.yaml:3: train.steps"));
  EXPECT_THAT(error_of("train: {steps: 1}\nmodel: {name: mlp}\ntrain: {seed: 2}\n").where(),
              HasSubstr("recipe.yaml:3: train"));
  EXPECT_THAT(error_of("task: {data: generated}\nmodel: [mlp\n").where(), HasSubstr("recipe.yaml:"));
  EXPECT_THAT(error_of("a: b: c\n").problem(), HasSubstr("not YAML"));
  EXPECT_THAT(error_of("\ttask: 1\n").where(), HasSubstr("recipe.yaml:1"));
  EXPECT_THAT(error_of("").problem(), HasSubstr("empty"));
  EXPECT_THAT(error_of("# nothing\n").problem(), HasSubstr("empty"));
  EXPECT_THAT(error_of("- 1\n").problem(), HasSubstr("map"));
  EXPECT_THAT(error_of("# text\n, broken\n" + small).where(), HasSubstr("recipe.yaml"));
  EXPECT_THAT(error_of("hello\n").problem(), HasSubstr("map"));
  EXPECT_THAT(error_of(small + "---\n" + small).problem(), HasSubstr("more than one"));
  EXPECT_THAT(error_of(std::string(200000, '[')).problem(), HasSubstr("not YAML"));
  EXPECT_THAT(error_of("train: {steps: " + std::string(1 << 20, '1') + "}\n").where(),
              HasSubstr("train.steps"));
  EXPECT_THAT(error_of("? [a, b]\n: 1\n").problem(), HasSubstr("unknown key"));
}

TEST(Recipe, ExpandsVariables) {
  setenv("SMOOTHLAB_TEST_FOLDER", "/a b", 1);
  setenv("SMOOTHLAB_TEST_NUMBER", "7", 1);
  unsetenv("SMOOTHLAB_TEST_UNSET");
  const auto path = [](const std::string& written) {
    return parse("task:\n  data: mnist\n  path: " + written + "\nmodel: {name: mlp}\ntrain: {steps: 1}\n")
        .task.path;
  };
  EXPECT_EQ(path("${SMOOTHLAB_TEST_FOLDER}/x${SMOOTHLAB_TEST_NUMBER}"), "/a b/x7");
  EXPECT_EQ(path("'${SMOOTHLAB_TEST_FOLDER}'"), "/a b");
  EXPECT_EQ(path("${SMOOTHLAB_TEST_NUMBER}"), "7");
  EXPECT_EQ(path("$${SMOOTHLAB_TEST_FOLDER}"), "${SMOOTHLAB_TEST_FOLDER}");
  EXPECT_EQ(path("$${open"), "${open");
  EXPECT_EQ(path("$x"), "$x");
  EXPECT_THAT(error_of("task:\n  data: mnist\n  path: ${OPEN\n").where(),
              HasSubstr("recipe.yaml:3: task.path"));
  EXPECT_EQ(parse(small, {"train.seed=${SMOOTHLAB_TEST_NUMBER}"}).train.seed, 7u);
  const auto e = error_of("task:\n  data: mnist\n  path: ${SMOOTHLAB_TEST_UNSET}/x\n");
  EXPECT_THAT(e.problem(), HasSubstr("'SMOOTHLAB_TEST_UNSET' is not set"));
  EXPECT_EQ(e.where(), "recipe.yaml:3: task.path");
  EXPECT_THAT(error_of("task: {data: mnist, path: '${}'}\n").where(), HasSubstr("task.path"));
  // What is overridden need not be set.
  EXPECT_EQ(
      parse("task:\n  data: mnist\n  path: ${SMOOTHLAB_TEST_UNSET}/x\n" + small.substr(small.find('\n') + 1),
            {"task.path=/y"})
          .task.path,
      "/y");
}

TEST(Recipe, AppliesOverrides) {
  const Recipe recipe = parse(small, {"targets.alpha=0.1", "model.hidden=[8, 9]", "task.augment={flip: true}",
                                      "optimizer.groups=[{match: fc, lr_scale: 2}]", "targets.alpha=0.2"});
  EXPECT_DOUBLE_EQ(recipe.targets.alpha, 0.2);
  EXPECT_EQ(recipe.model.hidden, (std::vector<int64_t>{8, 9}));
  EXPECT_TRUE(recipe.task.augment.flip);
  EXPECT_DOUBLE_EQ(recipe.optimizer.groups.at(0).lr_scale, 2);

  const auto e = error_of(small, {"model.nam=x"});
  EXPECT_EQ(e.where(), "--set model.nam=x");
  EXPECT_THAT(e.remedy(), HasSubstr("'name'"));
  EXPECT_EQ(error_of(small, {"targets.alpha=2"}).where(), "--set targets.alpha=2");
  EXPECT_EQ(error_of(small, {"optimizer.nesterov=true"}).where(), "--set optimizer.nesterov=true");
  EXPECT_THAT(error_of(small, {"modle.name=x"}).remedy(), HasSubstr("'model.name'"));
  EXPECT_THAT(error_of(small, {"targets.alpha"}).remedy(), HasSubstr("block.key=value"));
  EXPECT_THAT(error_of(small, {"=1"}).remedy(), HasSubstr("block.key=value"));
  EXPECT_THAT(error_of(small, {"targets.alpha="}).where(), HasSubstr("--set targets.alpha="));
  EXPECT_THAT(error_of(small, {"targets.alpha=[1"}).problem(), HasSubstr("not YAML"));
  EXPECT_THAT(error_of(small, {"optimizer.groups=[{mtach: x}]"}).where(),
              HasSubstr("--set optimizer.groups"));
}

// The hint used to be a schedule's, in a form that the command line does not take.
TEST(Recipe, SaysHowToWriteAListWhereItIsWanted) {
  EXPECT_EQ(error_of(small, {"model.hidden=16"}).remedy(), "write it as --set 'model.hidden=[16]'");
  EXPECT_EQ(error_of("task: {data: generated}\nmodel: {name: mlp, hidden: 16}\n").remedy(),
            "write it as hidden: [16]");
  EXPECT_EQ(error_of(small, {"model.hidden=a"}).remedy(), "write it as --set 'model.hidden=[1, 2]'");
}

// The file used to be blamed, at no line, for what --set had asked for.
TEST(Recipe, BlamesTheOverrideThatAskedForMore) {
  EXPECT_EQ(error_of(small, {"schedule.name=step"}).where(), "--set schedule.name=step");
  EXPECT_EQ(error_of(small + "schedule: {name: exponential}\n").where(), "recipe.yaml:4: schedule.name");
}

TEST(Recipe, ABatchIsNoLargerThanTheTrainingSplit) {
  const std::string task = "task: {data: generated, train_samples: 40, validation: 8}\n";
  const std::string rest = "model: {name: mlp, hidden: [4]}\ntrain: {steps: 1, global_batch: ";
  EXPECT_NO_THROW(parse(task + rest + "32}\n"));
  const auto e = error_of(task + rest + "33}\n");
  EXPECT_EQ(e.problem(), "a global batch of 33 is larger than the training split of 32");
  EXPECT_EQ(e.where(), "recipe.yaml:3: train.global_batch");
  // The default may be too large as well.
  EXPECT_EQ(error_of(task + "model: {name: mlp}\ntrain: {steps: 1}\n").where(),
            "recipe.yaml: train.global_batch");
}

TEST(Recipe, ChoosesWhoseLogitsAreKept) {
  const Recipe recipe = parse(small +
                              "logits: {splits: [train, test], at: [0, 5], every: 3}\n"
                              "information: {classes: [ring, disc], draws: 4}\n");
  EXPECT_EQ(recipe.logits.splits, (std::vector<std::string>{"train", "test"}));
  EXPECT_EQ(recipe.logits.at, (std::vector<int64_t>{0, 5}));
  EXPECT_EQ(recipe.information.classes, (std::vector<std::string>{"ring", "disc"}));
  EXPECT_EQ(recipe.information.examples, 300);
  const Recipe again = parse(resolved_recipe(recipe));
  EXPECT_EQ(again.logits.splits, recipe.logits.splits);
  EXPECT_EQ(again.information.draws, 4);
  for (const char* block : {"logits", "information"})
    EXPECT_THAT(resolved_recipe(parse(small)), testing::Not(HasSubstr(block)));
}

TEST(Recipe, RefusesTrajectoriesOfNothing) {
  const auto error = [](const std::string& line) { return error_of(small + line + "\n"); };
  EXPECT_THAT(error("logits: {splits: [train, tset]}").remedy(), HasSubstr("'test'"));
  EXPECT_THAT(error("logits: {splits: [train, train]}").remedy(), HasSubstr("once"));
  EXPECT_THAT(error("logits: {splits: train}").remedy(), HasSubstr("[train]"));
  EXPECT_THAT(error("logits: {splits: [train], at: [5, 5]}").remedy(), HasSubstr("increasing"));
  EXPECT_THAT(error("logits: {every: 5}").problem(),
              HasSubstr("'logits.every' means nothing where logits.splits is []"));
  EXPECT_THAT(error("logits: {every: 5}").remedy(), HasSubstr("give logits.splits"));
  EXPECT_THAT(error("logits: {keep: summary}").remedy(), HasSubstr("give logits.splits"));
  EXPECT_THAT(error("logits: {splits: [test], keep: compact}").where(), HasSubstr("logits.keep"));
  EXPECT_THAT(error("logits: {splits: [test], keep: summary, precision: float16}").problem(),
              HasSubstr("'logits.precision' means nothing where logits.keep is summary"));
  EXPECT_THAT(error("logits: {splits: [test], keep: summary, penultimate: false}").remedy(),
              HasSubstr("set logits.keep to full"));
  EXPECT_THAT(error("information: {classes: [ring]}").remedy(), HasSubstr("two different"));
  EXPECT_THAT(error("information: {classes: [ring, ring]}").remedy(), HasSubstr("two different"));
  EXPECT_THAT(error("information: {classes: [ring, disc], draws: 1}").where(),
              HasSubstr("information.draws"));
  EXPECT_THAT(error("information: {every: 5}").problem(), HasSubstr("means nothing"));
}

TEST(Recipe, ChecksItsTeacher) {
  const auto error = [](const std::string& line) { return error_of(small + line + "\n"); };
  const Recipe recipe = parse(small + "teacher: {loss: paper, run: runs/t, temperature: 4}\n");
  EXPECT_EQ(recipe.teacher.beta, 1);
  EXPECT_EQ(parse(resolved_recipe(recipe)).teacher.temperature, 4);
  EXPECT_THAT(resolved_recipe(parse(small)), testing::Not(HasSubstr("teacher:\n  run")));
  EXPECT_THAT(error("teacher: {run: runs/t}").problem(),
              HasSubstr("means nothing where teacher.loss is none"));
  EXPECT_THAT(error("teacher: {loss: hinton}").problem(), HasSubstr("without a teacher"));
  EXPECT_THAT(error("teacher: {loss: hintn, run: r}").remedy(), HasSubstr("hinton"));
  for (const char* temperature : {"0", "-1"})
    EXPECT_THAT(
        error(std::string("teacher: {loss: paper, run: r, temperature: ") + temperature + "}").where(),
        HasSubstr("teacher.temperature"));
  for (const char* beta : {"-0.1", "1.1"})
    EXPECT_THAT(error(std::string("teacher: {loss: paper, run: r, beta: ") + beta + "}").where(),
                HasSubstr("teacher.beta"));
  EXPECT_THAT(error("teacher: {loss: logit-mse, run: r, temperature: 2}").problem(),
              HasSubstr("'teacher.temperature' means nothing"));
  EXPECT_THAT(error("teacher: {loss: paper, run: r}\ntargets: {alpha: 0.1}").problem(),
              HasSubstr("targets mean nothing where teacher.beta is 1"));
  EXPECT_NO_THROW(parse(small + "teacher: {loss: paper, run: r, beta: 0.9}\ntargets: {alpha: 0.1}\n"));
}

TEST(Recipe, EveryKeyIsReadIntoItsOwnFieldAndDocumented) {
  const Recipe defaults = parse(small);
  const std::string help = recipe_help(false), tables = recipe_help(true);
  for (const auto& key : recipe_keys()) {
    Recipe changed = defaults;
    // A value that each type takes and that is no default.
    for (const char* value :
         {"7",       "4096",    "0.75",    "true",    "false",   "per_image", "off-target",
          "test",    "cpu",     "bf16",    "float16", "never",   "x",         "adam",
          "cosine",  "cifar10", "paper",   "[7]",     "[train]", "[a, b]",    "[{match: q}]",
          "summary", "square",  "bicubic", "epochs",  "nll"}) {
      try {
        key.read(changed, YAML::Load(value), {"test", true});
      } catch (const UsageError&) {
        continue;
      }
      if (key.write(changed) != key.write(defaults)) break;
    }
    EXPECT_NE(key.write(changed), key.write(defaults)) << key.path;
    for (const auto& other : recipe_keys()) {
      if (other.path == key.path) continue;
      EXPECT_EQ(other.write(changed), other.write(defaults)) << other.path;
    }
    EXPECT_THAT(help, HasSubstr(key.path + " ")) << key.path;
    EXPECT_THAT(tables, HasSubstr("| `" + name_of(key.path) + "` |"));
    EXPECT_FALSE(key.meaning.empty());
  }
}

/// A file of the source tree.
std::string source_file(const std::string& name) {
  const char* source = std::getenv("SMOOTHLAB_SOURCE");
  std::ifstream file((source == nullptr ? std::string(".") : std::string(source)) + "/" + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Recipe, TheManualListsEveryKeyAsTheProgramDoes) {
  EXPECT_THAT(source_file("docs/recipes.md"), HasSubstr(recipe_help(true)))
      << "put the output of recipe_help(true) there";
}

/// Studies lie among the recipes that they are made of.
bool is_study(const std::filesystem::path& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.rfind("stages:", 0) == 0) return true;
  return false;
}

TEST(Recipe, TheRecipesThatComeWithTheProgramAreValid) {
  setenv("SMOOTHLAB_DATA", "/somewhere", 1);
  const char* source = std::getenv("SMOOTHLAB_SOURCE");
  const std::filesystem::path folder = std::filesystem::path(source == nullptr ? "." : source) / "recipes";
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml" || is_study(entry.path())) continue;
    ++found;
    EXPECT_NO_THROW(read_recipe(entry.path().string(), {})) << entry.path();
  }
  EXPECT_GE(found, 6);
}

TEST(Recipe, ReadsFilesAndNamesMissingOnes) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/r.yaml";
  std::ofstream(path) << small;
  EXPECT_EQ(read_recipe(path, {}).train.steps, 10);
  const auto fails = [](const std::string& bad) {
    try {
      read_recipe(bad, {});
    } catch (const UsageError& e) {
      EXPECT_EQ(static_cast<int>(e.code()), 2);
      EXPECT_EQ(e.where(), bad);
      return e.problem() + "; " + e.remedy();
    }
    return std::string("no error");
  };
  EXPECT_THAT(fails(folder.path() + "/missing.yaml"), testing::StartsWith("no such recipe; "));
  EXPECT_EQ(fails(folder.path()), "a folder is no recipe; name a .yaml file within");
  std::ofstream(folder.path() + "/recipe.yaml") << small;
  EXPECT_EQ(fails(folder.path()), "a folder is no recipe; its run's is " + folder.path() + "/recipe.yaml");
}

}  // namespace
}  // namespace smoothlab::trainer
