#include "launcher/study_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A study of one stage with these further lines.
StudyFile study(const std::string& lines) {
  return parse_study("stages:\n  teachers:\n    recipe: r.yaml\n" + lines, "paper/study.yaml");
}
const StudyStage& stage(const StudyFile& file) {
  return file.stages.at(0);
}

std::string refusal(const std::string& text) {
  try {
    parse_study(text, "study.yaml");
    return "no error";
  } catch (const UsageError& error) {
    return error.what();
  }
}
std::string refusal_of(const std::string& lines) {
  return refusal("stages:\n  teachers:\n    recipe: r.yaml\n" + lines);
}

std::vector<std::string> values_of(const std::string& list) {
  const auto file = study("    grid: {train.seed: " + list + "}\n");
  std::vector<std::string> values;
  for (const auto& point : stage(file).axes.at(0).points) values.push_back(point.at(0));
  return values;
}
std::vector<std::string> alphas_of(const std::string& list) {
  const auto file = study("    grid: {targets.alpha: " + list + "}\n");
  std::vector<std::string> values;
  for (const auto& point : stage(file).axes.at(0).points) values.push_back(point.at(0));
  return values;
}

TEST(StudyFile, HasDefaultsOfItsFile) {
  const auto plain = study("");
  EXPECT_EQ(plain.name, "study");
  EXPECT_EQ(plain.runs, "runs/study");
  EXPECT_EQ(stage(plain).recipe, "paper/r.yaml");
  const auto named = parse_study("name: fig5\nstages: {a: {recipe: /abs/r.yaml}}\n", "study.yaml");
  EXPECT_EQ(named.runs, "runs/fig5");
  EXPECT_EQ(stage(named).recipe, "/abs/r.yaml");
  EXPECT_EQ(parse_study("runs: elsewhere\nstages: {a: {recipe: ../x/r.yaml}}", "p/q.yaml").stages[0].recipe,
            "x/r.yaml");
}

TEST(StudyFile, ListsHoldValuesAndRanges) {
  EXPECT_THAT(values_of("[1..3, 7, 10..10]"), ElementsAre("1", "2", "3", "7", "10"));
  EXPECT_THAT(values_of("4..6"), ElementsAre("4", "5", "6"));
  EXPECT_THAT(alphas_of("[0, 1e-1, 0.10001]"), ElementsAre("0", "0.1", "0.10001"));
  EXPECT_THAT(alphas_of("{from: 0, to: 0.5, step: 0.1}"),
              ElementsAre("0", "0.1", "0.2", "0.3", "0.4", "0.5"));
  EXPECT_THAT(alphas_of("{from: 0, to: 0.7, step: 0.3}"), ElementsAre("0", "0.3", "0.6"));
  EXPECT_THAT(alphas_of("{from: 1, to: 0, count: 5}"), ElementsAre("1", "0.75", "0.5", "0.25", "0"));
  EXPECT_THAT(alphas_of("[0, {from: 0.1, to: 0.3, step: 0.1}]"), ElementsAre("0", "0.1", "0.2", "0.3"));
}

TEST(StudyFile, ZipsHoldKeysThatVaryTogether) {
  const auto one = study("    zip: {model.name: [resnet8, mlp], optimizer.lr: [0.1, 0.05]}\n");
  ASSERT_EQ(stage(one).axes.size(), 1U);
  EXPECT_THAT(stage(one).axes[0].keys, ElementsAre("model.name", "optimizer.lr"));
  EXPECT_THAT(stage(one).axes[0].points[1], ElementsAre("mlp", "0.05"));
  const auto two = study("    zip:\n      - {model.hidden: [[8], [8, 4]]}\n      - {train.seed: [1..2]}\n");
  ASSERT_EQ(stage(two).axes.size(), 2U);
  EXPECT_THAT(stage(two).axes[0].points[1], ElementsAre("[8, 4]"));
}

TEST(StudyFile, SetTakesKeysAndBlocksOfThem) {
  const auto file =
      study("    set:\n      train.steps: 9\n      task: {augment: {pad: 4}}\n      optimizer.lr: =0.1*2\n");
  const auto& set = stage(file).set;
  ASSERT_EQ(set.size(), 3U);
  EXPECT_EQ(set[0].key, "train.steps");
  EXPECT_EQ(set[1].key, "task.augment.pad");
  EXPECT_EQ(set[1].value, "4");
  EXPECT_EQ(set[2].value, "=0.1*2");
  EXPECT_EQ(set[2].line, 7);
  EXPECT_EQ(stage(study("    set: {train.steps: '=min(3, 4)'}\n")).set[0].value, "=min(3, 4)");
}

TEST(StudyFile, AStageComesAfterSomeRunsOfOthers) {
  const auto file = parse_study(
      "stages:\n"
      "  teachers: {recipe: r.yaml}\n"
      "  bases: {recipe: r.yaml}\n"
      "  students:\n"
      "    recipe: r.yaml\n"
      "    after:\n"
      "      - bases\n"
      "      - stage: teachers\n"
      "        where: {targets.alpha: [0, 0.10], train.steps: '>= 10', model.name: mlp}\n"
      "        match: [train.seed]\n",
      "study.yaml");
  const auto& after = file.stages[2].after;
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].stage, "bases");
  EXPECT_EQ(after[0].line, 7);
  EXPECT_THAT(after[1].match, ElementsAre("train.seed"));
  ASSERT_EQ(after[1].where.size(), 3U);
  EXPECT_THAT(after[1].where[0].values, ElementsAre("0", "0.1"));
  EXPECT_EQ(after[1].where[1].how, ">=");
  EXPECT_EQ(after[1].where[2].how, "=");
}

TEST(StudyFile, UnknownKeysAreNamedWithLineAndTheNearest) {
  EXPECT_THAT(refusal("name: x\nstage: {}\n"),
              AllOf(HasSubstr("unknown key 'stage'"), HasSubstr("study.yaml:2"), HasSubstr("'stages'?")));
  EXPECT_THAT(refusal_of("    grids: {}\n"),
              AllOf(HasSubstr("study.yaml:4: stages.teachers.grids"), HasSubstr("'grid'?")));
  EXPECT_THAT(refusal_of("    grid: {targets.alhpa: [0]}\n"),
              AllOf(HasSubstr("unknown key 'alhpa'"), HasSubstr("study.yaml:4"), HasSubstr("'alpha'?")));
  EXPECT_THAT(refusal_of("    set: {optimizer.alpha: 0}\n"), HasSubstr("'targets.alpha'?"));
  EXPECT_THAT(refusal_of("    grid:\n      targets.alpha: {from: 0, to: 1, stop: 0.1}\n"),
              AllOf(HasSubstr("study.yaml:5"), HasSubstr("'step'?")));
  EXPECT_THAT(refusal_of("  b: {recipe: r.yaml, after: {stage: teachers, wher: {}}}\n"),
              HasSubstr("'where'?"));
  EXPECT_THAT(refusal_of("  b: {recipe: r.yaml, after: {stage: teachers, where: {seed: 1}}}\n"),
              HasSubstr("'train.seed'?"));
  EXPECT_THAT(refusal_of("  b: {recipe: r.yaml, after: {stage: teachers, match: [train.sed]}}\n"),
              HasSubstr("'seed'?"));
  EXPECT_THAT(
      refusal_of("  b: {recipe: r.yaml, after: techers}\n"),
      AllOf(HasSubstr("no stage is called 'techers'"), HasSubstr("study.yaml:4"), HasSubstr("'teachers'?")));
}

TEST(StudyFile, WhatARecipeWouldNotTakeIsRefusedHere) {
  EXPECT_THAT(refusal_of("    grid:\n      targets.alpha:\n        - 0\n        - 1.5\n"),
              AllOf(HasSubstr("study.yaml:7: targets.alpha"), HasSubstr("0 to 1")));
  EXPECT_THAT(refusal_of("    grid: {train.seed: [a..b]}\n"), HasSubstr("whole number"));
  EXPECT_THAT(refusal_of("    grid: {train.seed: [0.5]}\n"), HasSubstr("whole number"));
}

TEST(StudyFile, ListsThatMeanNothingAreRefused) {
  EXPECT_THAT(refusal_of("    grid: {train.seed: []}\n"),
              AllOf(HasSubstr("lists nothing"), HasSubstr("study.yaml:4")));
  EXPECT_THAT(refusal_of("    grid: {train.seed: 3}\n"), HasSubstr("must be a list"));
  EXPECT_THAT(refusal_of("    grid: {train.seed: [5..1]}\n"), HasSubstr("holds nothing"));
  EXPECT_THAT(refusal_of("    grid: {train.seed: [1, 1..3]}\n"), HasSubstr("the same twice: 1"));
  EXPECT_THAT(refusal_of("    grid: {targets.alpha: [0.1, 1e-1]}\n"), HasSubstr("the same twice"));
  EXPECT_THAT(refusal_of("    grid: {targets.alpha: {from: 0, to: 1, step: 0}}\n"), HasSubstr("never ends"));
  EXPECT_THAT(refusal_of("    grid: {targets.alpha: {from: 0, to: 1, step: -0.1}}\n"),
              HasSubstr("never ends"));
  EXPECT_THAT(refusal_of("    grid: {targets.alpha: {from: 0, to: 1}}\n"), HasSubstr("step or a count"));
  EXPECT_THAT(refusal_of("    grid: {targets.alpha: [=0.1]}\n"), HasSubstr("under 'set'"));
  EXPECT_THAT(refusal_of("    zip: {train.seed: [1, 2], targets.alpha: [0]}\n"),
              AllOf(HasSubstr("2 values of train.seed and 1 of targets.alpha"), HasSubstr("study.yaml:4")));
  EXPECT_THAT(refusal_of("    grid: {train.seed: [1]}\n    set: {train.seed: 1}\n"),
              HasSubstr("given twice in a stage"));
  EXPECT_THAT(refusal("stages: {}\n"), HasSubstr("without stages"));
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("stages: {a: {grid: {}}}\n"), HasSubstr("'recipe' is missing"));
}

TEST(StudyFile, StagesHaveNamesThatFormulasCanUse) {
  EXPECT_THAT(refusal("stages: {a.b: {recipe: r.yaml}}\n"), HasSubstr("letters, digits, - and _"));
  EXPECT_THAT(refusal("stages: {train: {recipe: r.yaml}}\n"), HasSubstr("as a block of recipes is"));
  EXPECT_THAT(refusal("stages:\n  a: {recipe: r.yaml}\n  a: {recipe: r.yaml}\n"),
              AllOf(HasSubstr("'a' is given twice"), HasSubstr("study.yaml:3")));
}

}  // namespace
}  // namespace smoothlab::launcher
