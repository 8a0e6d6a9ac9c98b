// Whole studies through the program itself.
#include <cmath>
#include <nlohmann/json.hpp>

#include "cluster/file_system.h"
#include "launcher/background_program.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StudyVerbSlow : public testing::Test {
 protected:
  StudyVerbSlow() {
    write_text(folder / "small.yaml", small_recipe());
    // Some minutes of training, with a checkpoint every few milliseconds of it.
    write_text(folder / "long.yaml", small_recipe_with({{"steps: 12", "steps: 1000000"},
                                                        {"every: 6", "every: 1000000"},
                                                        {"every: 4", "every: 50"}}));
    write_text(study(),
               "stages:\n"
               "  teachers:\n"
               "    recipe: small.yaml\n"
               "    grid: {targets.alpha: [0, 0.1], train.seed: [1..2]}\n"
               "  students:\n"
               "    after: {stage: teachers, where: {targets.alpha: 0}}\n"
               "    recipe: small.yaml\n"
               "    set: {model.hidden: [8], train.seed: =teachers.train.seed}\n");
  }
  std::string study() const { return folder / "study.yaml"; }
  std::string runs() const { return folder / "runs"; }
  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    return joined({"study", study(), "--runs", runs(), "--threads", "1"}, more);
  }
  json answer(const std::vector<std::string>& more) const {
    const auto result = smoothlab(joined(words(more), {"--json"}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  /// The last evaluation in a run's own metrics.
  json last_evaluation(const std::string& run) const {
    json last;
    for (const auto& line : lines_of(read_text(runs() + "/" + run + "/metrics.jsonl")))
      if (json::parse(line).contains("split")) last = json::parse(line);
    return last;
  }
  bool has_checkpoint(const std::string& run) const {
    std::error_code none;
    const std::string checkpoints = runs() + "/" + run + "/checkpoints";
    return std::filesystem::exists(checkpoints, none) && !std::filesystem::is_empty(checkpoints, none);
  }
  void write_long_study() const {
    write_text(study(), "stages:\n  t: {recipe: long.yaml, grid: {train.seed: [1..3]}}\n");
  }
  bool nobody_trains() const {
    return eventually([this] { return program_processes(runs(), -1).empty(); });
  }
  TemporaryFolder folder;
};

TEST_F(StudyVerbSlow, TrainsEveryRunOnceAndCollectsWhatTheyCameTo) {
  const json first = answer({"--jobs", "2"});
  EXPECT_EQ(first["done"].size(), 6U);
  EXPECT_EQ(first["trained"], 6);
  EXPECT_EQ(answer({"run"})["trained"], 0) << "what is whole is not trained again";

  const json status = answer({"status"});
  EXPECT_EQ(status["stages"][0]["done"], 4);
  EXPECT_EQ(status["runs"][5]["run"], "students/teachers-alpha-0-seed-2");
  EXPECT_EQ(status["runs"][5]["step"], 12);
  EXPECT_EQ(status["runs"][5]["values"]["teachers.train.seed"], 2);

  const json results = answer({"collect", "--csv", folder / "out/results.csv"});
  EXPECT_TRUE(results["missing"].empty());
  ASSERT_EQ(results["groups"].size(), 3U);
  for (const char* metric : {"accuracy", "nll", "ece", "brier"}) {
    const double a = last_evaluation("teachers/alpha-0.1-seed-1")[metric];
    const double b = last_evaluation("teachers/alpha-0.1-seed-2")[metric];
    const json group = results["groups"][1]["metrics"][metric];
    EXPECT_EQ(group["n"], 2);
    EXPECT_NEAR(group["mean"].get<double>(), (a + b) / 2, 1e-12) << metric;
    EXPECT_NEAR(group["std"].get<double>(), std::abs(a - b) / std::sqrt(2.0), 1e-12) << metric;
    EXPECT_EQ(group["min"].get<double>(), std::min(a, b));
    EXPECT_EQ(group["max"].get<double>(), std::max(a, b));
  }
  EXPECT_EQ(lines_of(read_text(folder / "out/results.csv")).size(), 7U);
  EXPECT_EQ(lines_of(read_text(folder / "out/results-groups.csv")).size(), 4U);
  EXPECT_EQ(smoothlab(words({"collect", "--csv", folder / "out/results.csv"})).exit_code, 0)
      << "it is its own";
  expect_only_error(smoothlab(words({"collect", "--csv", study()})), 2, "study.yaml");
}

TEST_F(StudyVerbSlow, AFailedRunLeavesTheOthersAloneAndTakesWhatComesAfterItAlong) {
  write_text(
      study(),
      "stages:\n"
      "  t: {recipe: small.yaml, grid: {optimizer.lr: [1e30, 0.05]}}\n"
      "  s: {recipe: small.yaml, after: t, set: {model.hidden: [4], task.data_seed: '=t.optimizer.lr < 1 ? 1 : 2'}}\n");
  const auto result = smoothlab(words({"--json"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("error: t/lr-1e+30: the loss is not a number"));
  const json outcome = json::parse(result.out);
  EXPECT_EQ(outcome["done"], json({"t/lr-0.05", "s/t-lr-0.05"}));
  EXPECT_EQ(outcome["failed"][0]["run"], "t/lr-1e+30");
  EXPECT_EQ(outcome["skipped"][0]["run"], "s/t-lr-1e+30");
  const json status = answer({"status"});
  EXPECT_EQ(status["runs"][0]["state"], "failed");
  EXPECT_THAT(status["runs"][0]["problem"], HasSubstr("the loss is not a number"));
  const auto table = smoothlab(words({"collect"}));
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("missing: 2 of 4 runs"), HasSubstr("t/lr-1e+30 (failed)")));
}

TEST_F(StudyVerbSlow, CtrlCStopsWhatRunsAfterACheckpointAndTheSameCommandGoesOn) {
  write_long_study();
  {
    BackgroundProgram program(words({"--jobs", "2", "--json"}));
    ASSERT_TRUE(eventually([&] { return has_checkpoint("t/seed-1") && has_checkpoint("t/seed-2"); }));
    program.signal(SIGINT);
    const auto result = program.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(json::parse(result.out)["stopped"].size(), 3U);
  }
  EXPECT_TRUE(nobody_trains());
  EXPECT_FALSE(std::filesystem::exists(runs() + "/t/seed-3")) << "nothing new starts";
  const json before = answer({"status"});
  EXPECT_EQ(before["runs"][0]["state"], "stopped");
  const int64_t step = before["runs"][0]["step"];
  EXPECT_GT(step, 0);
  BackgroundProgram program(words({"--jobs", "2"}));
  ASSERT_TRUE(eventually([&] { return answer({"status"})["runs"][0]["step"] > step + 100; }));
  program.signal(SIGTERM);
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 75) << result.err;
  EXPECT_THAT(result.err, HasSubstr("t/seed-1: goes on after step " + std::to_string(step)));
}

TEST_F(StudyVerbSlow, AfterKill9NothingIsLostAndNobodyTrainsOn) {
  write_long_study();
  {
    BackgroundProgram program(words());
    ASSERT_TRUE(eventually([&] { return has_checkpoint("t/seed-1"); }));
    program.signal(SIGKILL);
    program.wait();
  }
  EXPECT_TRUE(nobody_trains()) << "runs outlive their study";
  BackgroundProgram program(words());
  ASSERT_TRUE(eventually([&] { return answer({"status"})["runs"][0]["state"] == "running"; }));
  program.signal(SIGINT);
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("t/seed-1: goes on after step "));
}

TEST_F(StudyVerbSlow, WhatWouldNotGoOnIsToldBeforeAnythingStarts) {
  write_text(study(), "stages: {t: {recipe: small.yaml, grid: {train.seed: [1..2]}}}\n");
  ASSERT_EQ(smoothlab(words({"--only", "t/seed-2"})).exit_code, 0);
  write_text(folder / "small.yaml", small_recipe_with({{"lr: 0.05", "lr: 0.5"}}));
  expect_only_error(smoothlab(words()), 2, "t/seed-2 holds another run, optimizer.lr: 0.05 → 0.5");
  expect_only_error(smoothlab(words({"--dry-run"})), 2, "optimizer.lr");
  EXPECT_FALSE(std::filesystem::exists(runs() + "/t/seed-1"));
  EXPECT_EQ(answer({"status"})["runs"][1]["state"], "changed");
  std::filesystem::remove_all(runs() + "/t/seed-2");
  const auto again = smoothlab(words());
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("t/seed-2 had been done, and its folder is gone"));
}

TEST_F(StudyVerbSlow, PackedRunsAreTheSameRuns) {
  write_text(study(), "stages: {t: {recipe: small.yaml, grid: {train.seed: [1..3]}}}\n");
  ASSERT_EQ(answer({"--packed", "2"})["trained"], 3);
  std::vector<json> packed;
  for (const char* run : {"t/seed-1", "t/seed-2", "t/seed-3"}) packed.push_back(last_evaluation(run));
  std::filesystem::remove_all(runs());
  ASSERT_EQ(answer({})["trained"], 3);
  for (int seed = 1; seed <= 3; ++seed) {
    json alone = last_evaluation("t/seed-" + std::to_string(seed));
    json& one = packed[static_cast<size_t>(seed - 1)];
    alone.erase("seconds");
    one.erase("seconds");
    EXPECT_EQ(alone, one);
  }
}

TEST_F(StudyVerbSlow, ADryRunTellsThePlanAndLeavesNothing) {
  const json plan = answer({"--dry-run"});
  EXPECT_EQ(plan["runs"].size(), 6U);
  EXPECT_EQ(plan["runs"][4]["after"], json({"teachers/alpha-0-seed-1"}));
  EXPECT_EQ(plan["forecast"]["stages"][0]["measured_by"], "trial");
  EXPECT_EQ(plan["forecast"]["stages"][0]["steps"], json({12, 12}));
  EXPECT_GT(plan["forecast"]["seconds_left"], 0);
  EXPECT_FALSE(std::filesystem::exists(runs()));
  ASSERT_EQ(smoothlab(words({"--only", "teachers/*seed-1"})).exit_code, 0);
  const auto text = smoothlab(words({"--dry-run"}));
  EXPECT_THAT(text.out, AllOf(HasSubstr("2 done, 4 waiting"), HasSubstr("by its own runs"),
                              HasSubstr("by a short trial")));
}

TEST_F(StudyVerbSlow, ARunThatSomebodyElseTrainsIsWaitedFor) {
  write_text(study(), "stages: {t: {recipe: small.yaml}}\n");
  const auto files = cluster::local_file_system();
  files->make_folders(runs() + "/t/run");
  auto lock = files->lock(runs() + "/t/run/.lock");
  BackgroundProgram program(words());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(runs() + "/study.json"); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  lock.reset();
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("another process trains it"), HasSubstr("t/run: done")));
}

TEST_F(StudyVerbSlow, WrongCommandsSaySo) {
  expect_only_error(smoothlab(words({"stauts"})), 2, "'status'?");
  expect_only_error(smoothlab(words({"status", "--dry-run"})), 2, "belongs to 'study STUDY run'");
  expect_only_error(smoothlab(words({"--packed", "2", "--jobs", "2"})), 2, "--packed");
  expect_only_error(smoothlab(words({"status", "--watch"})), 2, "terminal");
  expect_only_error(smoothlab(words({"--only", "pupils/*"})), 2, "teachers/alpha-0-seed-1");
  expect_only_error(smoothlab({"study", folder / "none.yaml"}), 2, "no such study");
}

}  // namespace
}  // namespace smoothlab::test
