#include "launcher/study_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "launcher/program.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Teachers at two alphas and three seeds, of which one run is not done; figures are made up.
struct Example {
  StudyPlan plan;
  std::vector<RunState> states;
  std::vector<size_t> all;
  Example() {
    plan.name = "s";
    plan.folder = "runs/s";
    plan.stages = {"teachers"};
    const double accuracies[] = {0.90, 0.92, 0.97, 0.80, 0.84};
    for (size_t i = 0; i < 6; ++i) {
      const std::string alpha = i < 3 ? "0" : "0.1", seed = std::to_string(i % 3 + 1);
      StudyRun run;
      run.name = "teachers/alpha-" + alpha + "-seed-" + seed;
      run.folder = "runs/s/" + run.name;
      run.values = {{"targets.alpha", alpha}, {"train.seed", seed}};
      plan.runs.push_back(run);
      RunState state;
      if (i < 5) {
        state.phase = RunPhase::done;
        state.step = 12;
        state.seconds = 10 + static_cast<double>(i);
        state.evaluation.emplace();
        state.evaluation->split = "test";
        state.evaluation->rows = 51;
        state.evaluation->accuracy = accuracies[i];
        state.evaluation->ece = 0.5;
      } else {
        state.phase = RunPhase::failed;
      }
      states.push_back(state);
      all.push_back(i);
    }
  }
};

TEST(StudyResults, RunsAreGroupedOverTheirSeeds) {
  const Example example;
  const auto groups = groups_over_seeds(example.plan, example.all, example.states);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_THAT(groups[0].values, ElementsAre(testing::Pair("targets.alpha", "0")));
  EXPECT_THAT(groups[0].runs, ElementsAre(0U, 1U, 2U));
  EXPECT_THAT(groups[1].missing, ElementsAre(5U));
  ASSERT_EQ(groups[0].metrics[0].first, "accuracy");
  // (0.90 + 0.92 + 0.97) / 3 and √((0.03² + 0.01² + 0.04²) / 2).
  EXPECT_NEAR(groups[0].metrics[0].second.mean, 0.93, 1e-12);
  EXPECT_NEAR(groups[0].metrics[0].second.deviation, std::sqrt(0.0026 / 2), 1e-12);
  EXPECT_EQ(groups[1].metrics[0].second.count, 2);
}

TEST(StudyResults, SeedsOfOtherStagesAreSeedsToo) {
  EXPECT_THAT(
      without_seeds({{"teachers.train.seed", "1"}, {"task.data_seed", "2"}, {"teachers.targets.alpha", "0"}}),
      ElementsAre(testing::Pair("teachers.targets.alpha", "0")));
}

TEST(StudyResults, MissingRunsAreSaidEverywhere) {
  const Example example;
  const std::string text = results_text(example.plan, example.all, example.states);
  EXPECT_THAT(text, HasSubstr("0.9300 ± 0.0361"));
  EXPECT_THAT(text, HasSubstr("2 of 3"));
  EXPECT_THAT(text, HasSubstr("missing: 1 of 6 runs\n  teachers/alpha-0.1-seed-3 (failed)\n"));
  const auto json = results_json(example.plan, example.all, example.states);
  EXPECT_EQ(json["runs"].size(), 6U);
  EXPECT_TRUE(json["runs"][5]["evaluation"].is_null());
  EXPECT_EQ(json["runs"][0]["values"]["targets.alpha"], 0) << "a number";
  EXPECT_EQ(json["missing"][0]["run"], "teachers/alpha-0.1-seed-3");
  EXPECT_EQ(json["groups"][1]["missing"].size(), 1U);
  EXPECT_NEAR(json["groups"][0]["metrics"]["accuracy"]["std"].get<double>(), std::sqrt(0.0013), 1e-12);
}

TEST(StudyResults, TablesHaveALineForEveryRunAndGroup) {
  const Example example;
  const auto runs = test::lines_of(runs_csv(example.plan, example.all, example.states));
  ASSERT_EQ(runs.size(), 7U);
  EXPECT_EQ(runs[0],
            "stage,run,folder,state,targets.alpha,train.seed,step,split,rows,accuracy,top5_accuracy,nll,"
            "brier,ece,gamma,seconds");
  EXPECT_EQ(runs[1],
            "teachers,teachers/alpha-0-seed-1,runs/s/teachers/alpha-0-seed-1,done,0,1,12,test,51,0.9,0,0,"
            "0,0.5,,10");
  EXPECT_EQ(runs[6],
            "teachers,teachers/alpha-0.1-seed-3,runs/s/teachers/alpha-0.1-seed-3,failed,0.1,3,0,,,,,,,,,");
  const auto groups = test::lines_of(groups_csv(example.plan, example.all, example.states));
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_THAT(groups[0],
              testing::StartsWith(
                  "stage,targets.alpha,split,runs,n,accuracy_mean,accuracy_std,accuracy_min,accuracy_max,"));
  EXPECT_THAT(groups[2], testing::StartsWith("teachers,0.1,test,3,2,"));
}

TEST(StudyResults, FieldsWithCommasAreQuoted) {
  Example example;
  for (auto& run : example.plan.runs) run.values.emplace_back("model.hidden", "[8, 4]");
  EXPECT_THAT(runs_csv(example.plan, example.all, example.states), HasSubstr(",\"[8, 4]\","));
}

TEST(StudyResults, SplitsAreNotAveraged) {
  Example example;
  example.states[1].evaluation->split = "validation";
  const auto groups = groups_over_seeds(example.plan, example.all, example.states);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].split, "test");
  EXPECT_THAT(groups[0].runs, ElementsAre(0U, 2U));
  EXPECT_EQ(groups[1].split, "validation");
  EXPECT_THAT(groups[2].runs, ElementsAre(3U, 4U, 5U)) << "a run without a result stays with its own";
  EXPECT_THAT(results_text(example.plan, example.all, example.states), HasSubstr("validation"));
}

TEST(StudyResults, TeachersSmoothingIsAFigureWhereThereAreTeachers) {
  Example example;
  EXPECT_THAT(results_text(example.plan, example.all, example.states), testing::Not(HasSubstr("gamma")));
  for (size_t i = 0; i < 3; ++i) example.states[i].gamma = 0.1 * static_cast<double>(i + 1);
  EXPECT_THAT(results_text(example.plan, example.all, example.states), HasSubstr("0.2000 ± 0.1000"));
  const auto runs = test::lines_of(runs_csv(example.plan, example.all, example.states));
  EXPECT_THAT(runs[2], testing::EndsWith(",0.5,0.2,11"));
  EXPECT_THAT(runs[4], testing::EndsWith(",0.5,,13"));
}

}  // namespace
}  // namespace smoothlab::launcher
