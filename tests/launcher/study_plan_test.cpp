#include "launcher/study_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "cluster/error.h"
#include "launcher/program.h"
#include "launcher/study_results.h"
#include "launcher/study_runner.h"
#include "launcher/study_status.h"
#include "support/temporary_folder.h"
#include "trainer/run_summary.h"

namespace smoothlab::launcher {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class StudyPlanTest : public testing::Test {
 protected:
  StudyPlanTest() { test::write_text(folder / "r.yaml", test::small_recipe()); }

  StudyPlan plan(const std::string& text) const {
    return plan_study(parse_study(text, folder / "study.yaml"));
  }
  std::vector<std::string> names(const std::string& text) const {
    std::vector<std::string> all;
    for (const auto& run : plan(text).runs) all.push_back(run.name);
    return all;
  }
  std::string refusal(const std::string& text) const {
    try {
      plan(text);
      return "no error";
    } catch (const UsageError& error) {
      return error.what();
    }
  }
  test::TemporaryFolder folder;
};

TEST_F(StudyPlanTest, AGridIsEveryCombinationTheFirstKeySlowest) {
  const auto all =
      plan("name: s\nstages: {t: {recipe: r.yaml, grid: {targets.alpha: [0, 0.1], train.seed: [1..2]}}}\n");
  ASSERT_EQ(all.runs.size(), 4U);
  EXPECT_EQ(all.runs[1].name, "t/alpha-0-seed-2");
  EXPECT_EQ(all.runs[2].name, "t/alpha-0.1-seed-1");
  EXPECT_EQ(all.runs[2].folder, "runs/s/t/alpha-0.1-seed-1");
  EXPECT_EQ(all.runs[2].recipe.targets.alpha, 0.1);
  EXPECT_EQ(all.runs[1].recipe.train.seed, 2U);
  EXPECT_EQ(all.runs[1].recipe.train.steps, 12) << "of the recipe";
  EXPECT_THAT(all.runs[2].values, ElementsAre(Pair("targets.alpha", "0.1"), Pair("train.seed", "1")));
  EXPECT_EQ(all.runs[2].resolved, trainer::resolved_recipe(all.runs[2].recipe));
}

TEST_F(StudyPlanTest, FormulasAreOverTheRecipeAsItIsAfterSetAndGrid) {
  const auto all = plan(
      "stages:\n  t:\n    recipe: r.yaml\n"
      "    set: {train.steps: =10*train.global_batch, optimizer.lr: =0.1*train.global_batch/32, "
      "optimizer.momentum: =optimizer.momentum/2}\n"
      "    grid: {train.global_batch: [16, 64]}\n");
  EXPECT_EQ(all.runs[0].recipe.train.steps, 160);
  EXPECT_EQ(all.runs[0].recipe.optimizer.lr, 0.05);
  EXPECT_EQ(all.runs[1].recipe.optimizer.lr, 0.2);
  EXPECT_EQ(all.runs[1].recipe.optimizer.momentum, 0.45) << "half of the recipe's own";
}

TEST_F(StudyPlanTest, FormulasOverEachOtherAreWorkedOutInOrder) {
  const auto all =
      plan("stages: {t: {recipe: r.yaml, set: {optimizer.lr: =train.steps/100, train.steps: =4*5}}}\n");
  EXPECT_EQ(all.runs[0].name, "t/run");
  EXPECT_EQ(all.runs[0].recipe.optimizer.lr, 0.2);
  EXPECT_THAT(
      refusal("stages: {t: {recipe: r.yaml, set: {train.steps: =train.global_batch, train.global_batch: "
              "=train.steps}}}\n"),
      HasSubstr("needs a key that needs it"));
}

const char* distillation =
    "stages:\n"
    "  teachers: {recipe: r.yaml, grid: {targets.alpha: [0, 0.1, 0.2], train.seed: [1..2]}}\n"
    "  students:\n"
    "    after: {stage: teachers, where: {targets.alpha: '< 0.15'}}\n"
    "    recipe: r.yaml\n"
    "    grid: {model.hidden: [[8], [4]]}\n"
    "    set: {train.seed: =teachers.train.seed, task.augment.pad: =rint(10*teachers.targets.alpha)}\n";

TEST_F(StudyPlanTest, AStageThatRefersToAnotherHasARunForEachOfItsRuns) {
  const auto all = plan(distillation);
  ASSERT_EQ(all.runs.size(), 6U + 8U);
  const auto& run = all.runs[8];
  EXPECT_EQ(run.name, "students/hidden-8-teachers-alpha-0.1-seed-1");
  EXPECT_THAT(run.after, ElementsAre(2U));
  EXPECT_EQ(all.runs[2].name, "teachers/alpha-0.1-seed-1");
  EXPECT_EQ(run.recipe.train.seed, 1U);
  EXPECT_EQ(run.recipe.task.augment.pad, 1);
  EXPECT_THAT(run.values, ElementsAre(Pair("model.hidden", "[8]"), Pair("teachers.targets.alpha", "0.1"),
                                      Pair("teachers.train.seed", "1")));
}

TEST_F(StudyPlanTest, RunsOfOtherStagesCanBeMatchedByKeys) {
  const auto all = plan(
      "stages:\n"
      "  students:\n"
      "    after: {stage: teachers, match: [train.seed]}\n"
      "    recipe: r.yaml\n"
      "    grid: {train.seed: [2..3]}\n"
      "    set: {task.augment.pad: =rint(10*teachers.targets.alpha), model.hidden: [3]}\n"
      "  teachers: {recipe: r.yaml, grid: {targets.alpha: [0, 0.1], train.seed: [1..3]}}\n");
  EXPECT_THAT(all.stages, ElementsAre("teachers", "students")) << "in the order of their runs";
  ASSERT_EQ(all.runs.size(), 6U + 4U);
  EXPECT_EQ(all.runs[7].name, "students/seed-2-teachers-alpha-0.1-seed-2");
  EXPECT_THAT(all.runs[7].after, ElementsAre(4U));
}

TEST_F(StudyPlanTest, AStageThatOnlyNamesAnotherWaitsForAllOfIt) {
  const auto all = plan(
      "stages:\n"
      "  a: {recipe: r.yaml, grid: {train.seed: [1..3]}}\n"
      "  b: {recipe: r.yaml, after: {stage: a, where: {train.seed: [1, 3]}}, set: {train.seed: 9}}\n");
  ASSERT_EQ(all.runs.size(), 4U);
  EXPECT_EQ(all.runs[3].name, "b/run");
  EXPECT_THAT(all.runs[3].after, ElementsAre(0U, 2U));
}

TEST_F(StudyPlanTest, AFolderOfAnotherRunIsAValue) {
  test::write_text(
      folder / "files.yaml",
      test::small_recipe_with({{"data: generated, train_samples: 96, test_samples: 51", "data: cifar10"}}));
  const auto all = plan(
      "runs: out/\nstages:\n  a: {recipe: r.yaml}\n  b: {recipe: files.yaml, after: a, set: {task.path: =a.run}}\n");
  EXPECT_EQ(all.runs[1].recipe.task.path, "out/a/run");
}

TEST_F(StudyPlanTest, MistakesOfTheRecipeHaveTheLineOfTheStudy) {
  EXPECT_THAT(refusal("stages:\n  t:\n    recipe: r.yaml\n    set:\n      schedule.factor: 0.5\n"),
              AllOf(HasSubstr("study.yaml:5: schedule.factor"), HasSubstr("means nothing")));
  EXPECT_THAT(
      refusal("stages:\n  t:\n    recipe: r.yaml\n    grid:\n      train.global_batch: [16, 4096]\n"),
      AllOf(HasSubstr("study.yaml:5: train.global_batch"), HasSubstr("larger than the training split")));
  EXPECT_THAT(refusal("stages:\n  t:\n    recipe: r.yaml\n    set:\n\n      train.steps: =1/8\n"),
              AllOf(HasSubstr("study.yaml:6: train.steps"), HasSubstr("whole number")));
  EXPECT_THAT(refusal("stages: {t: {recipe: none.yaml}}\n"), HasSubstr("no such recipe"));
}

TEST_F(StudyPlanTest, ReferencesToNothingAreRefused) {
  const std::string two = "stages:\n  a: {recipe: r.yaml}\n  b:\n    recipe: r.yaml\n";
  EXPECT_THAT(refusal(two + "    set: {train.seed: =a.train.seed}\n"),
              AllOf(HasSubstr("does not come after"), HasSubstr("study.yaml:5"), HasSubstr("'after: a'")));
  EXPECT_THAT(refusal(two + "    after: a\n    set: {train.seed: =a.train.sed}\n"),
              AllOf(HasSubstr("unknown key 'sed'"), HasSubstr("'seed'?")));
  EXPECT_THAT(refusal(two + "    after: a\n    set: {train.seed: =aa.train.seed}\n"),
              AllOf(HasSubstr("'aa.train.seed', which is no key"), HasSubstr("'a.train.seed'?")));
  EXPECT_THAT(
      refusal(two + "    after: {stage: a, where: {train.seed: 7}}\n    set: {train.seed: =a.train.seed}\n"),
      AllOf(HasSubstr("no run of 'a' passes for b/run"), HasSubstr("study.yaml:5")));
  EXPECT_THAT(
      refusal(two + "    after: {stage: a, match: [train.seed]}\n    set: {train.seed: =a.train.seed}\n"),
      HasSubstr("which a formula gives"));
}

TEST_F(StudyPlanTest, StagesInACircleAreNamed) {
  EXPECT_THAT(refusal("stages:\n"
                      "  a: {recipe: r.yaml, after: c}\n"
                      "  b: {recipe: r.yaml, after: a}\n"
                      "  c: {recipe: r.yaml, after: b}\n"),
              AllOf(HasSubstr("a after c after b after a"), HasSubstr("study.yaml:2")));
  EXPECT_THAT(refusal("stages: {a: {recipe: r.yaml, after: a}}\n"), HasSubstr("a after a"));
}

TEST_F(StudyPlanTest, TwoRunsOfOneRecipeAreRefused) {
  EXPECT_THAT(refusal("stages:\n  a: {recipe: r.yaml}\n  b: {recipe: r.yaml}\n"),
              AllOf(HasSubstr("a/run and b/run would be the same run"), HasSubstr("study.yaml:3")));
}

TEST_F(StudyPlanTest, RunsAreSelectedByNameWithWhatTheyNeed) {
  const auto all = plan(distillation);
  EXPECT_EQ(select_runs(all, "", true).size(), 14U);
  EXPECT_THAT(select_runs(all, "students/hidden-4*alpha-0-seed-2", false), ElementsAre(11U));
  EXPECT_THAT(select_runs(all, "students/hidden-4*alpha-0-seed-2", true), ElementsAre(1U, 11U));
  EXPECT_THROW(select_runs(all, "pupils/*", true), UsageError);
}

TEST_F(StudyPlanTest, StudiesThatComeWithTheProgramExpand) {
  setenv("SMOOTHLAB_DATA", "data", /*overwrite=*/0);
  int studies = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::source_path("recipes"))) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".yaml" || test::read_text(path).find("\nstages:") == std::string::npos)
      continue;
    EXPECT_GT(plan_study(read_study(path)).runs.size(), 1U) << path;
    ++studies;
  }
  EXPECT_GT(studies, 0);
}

TEST_F(StudyPlanTest, TheBookkeepingOf200RunsIsCheap) {
  const auto seconds = [](auto work) {
    const std::clock_t start = std::clock();
    work();
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const auto files = cluster::local_file_system();
  StudyPlan all;
  const std::string study =
      "stages: {t: {recipe: r.yaml, grid: {targets.alpha: {from: 0, to: 0.95, step: 0.05}, "
      "train.seed: [1..10]}, set: {optimizer.lr: =train.global_batch/1000}}}\n";
  const double expanding =
      seconds([&] { all = plan_study(parse_study(study, folder / "s.yaml"), folder / "runs"); });
  ASSERT_EQ(all.runs.size(), 200U);
  // Whole runs with some hundred lines of metrics, half of them not at their end.
  std::string metrics;
  for (int line = 1; line <= 400; ++line)
    metrics +=
        "{\"step\": " + std::to_string(line) +
        ", \"epoch\": 0.5, \"loss\": 1.5, \"accuracy\": 0.5, \"lr\": 0.1, \"grad_norm\": 1, \"seconds\": 2.5, "
        "\"samples_per_second\": 100.0}\n";
  trainer::RunSummary summary;
  summary.step = 12;
  summary.evaluation.emplace();
  summary.evaluation->split = "test";
  for (size_t i = 0; i < all.runs.size(); ++i) {
    test::write_text(all.runs[i].folder + "/recipe.yaml", all.runs[i].resolved);
    test::write_text(all.runs[i].folder + "/metrics.jsonl", metrics);
    if (i % 2 == 0) trainer::write_summary(*files, all.runs[i].folder, summary);
  }
  std::vector<RunState> states;
  const auto selected = select_runs(all, "", true);
  const double looking = seconds([&] { states = states_of(*files, all); });
  const std::vector<int64_t> steps(200, 12);
  std::string text;
  const double reporting = seconds([&] {
    text = status_text(all, selected, states, steps) + results_text(all, selected, states) +
           runs_csv(all, selected, states) + groups_csv(all, selected, states);
  });
  EXPECT_THAT(text, HasSubstr("100 done, 100 stopped of 200 runs"));
  std::printf("expand %.3f s, states %.3f s, status and collect %.3f s\n", expanding, looking, reporting);
  // A promise of 1 s in all; what tests compile with sanitizers is several times slower.
  EXPECT_LT(expanding + looking + reporting, 5);
#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
  EXPECT_LT(expanding + looking + reporting, 1);
#endif
#endif
}

}  // namespace
}  // namespace smoothlab::launcher
