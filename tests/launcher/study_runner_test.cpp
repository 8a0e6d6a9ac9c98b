// Scheduling, with a backend that trains nothing.
#include "launcher/study_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <deque>
#include <functional>
#include <set>

#include "launcher/program.h"
#include "launcher/study_record.h"
#include "support/temporary_folder.h"
#include "trainer/run_summary.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Runs end in the order in which they were started, as it was told that they would.
class FakeBackend : public RunBackend {
 public:
  FakeBackend(cluster::FileSystem& files, size_t jobs) : files_(files), jobs_(jobs) {}
  size_t room() const override { return jobs_ - going_.size(); }
  void start(size_t index, const StudyRun& run) override {
    started.push_back(run.name);
    test::write_text(run.folder + "/recipe.yaml", run.resolved);
    going_.push_back({index, &run});
    most_at_once = std::max(most_at_once, going_.size());
  }
  std::optional<RunEnd> wait(std::chrono::milliseconds) override {
    if (going_.empty()) return std::nullopt;
    const auto [index, run] = going_.front();
    going_.pop_front();
    const bool fails = failing.count(run->name) > 0;
    if (at_end) at_end(*run);
    if (run->name == interrupt_after) std::raise(SIGTERM);
    if (fails) return RunEnd{index, RunError("no luck", "step 3", "try again")};
    if (stopping.count(run->name) == 0 && !asked) {
      trainer::RunSummary summary;
      summary.step = 12;
      trainer::write_summary(files_, run->folder, summary);
    }
    return RunEnd{index, {}};
  }
  void stop_all() override { asked = true; }

  std::set<std::string> failing, stopping;
  std::string interrupt_after;
  std::function<void(const StudyRun&)> at_end;
  std::vector<std::string> started;
  size_t most_at_once = 0;
  bool asked = false;

 private:
  cluster::FileSystem& files_;
  size_t jobs_;
  std::deque<std::pair<size_t, const StudyRun*>> going_;
};

class StudyRunnerTest : public testing::Test {
 protected:
  StudyRunnerTest() {
    test::write_text(folder / "r.yaml", test::small_recipe());
    replan("0.05");
  }
  void replan(const std::string& lr) {
    plan = plan_study(
        parse_study(
            "stages:\n"
            "  a: {recipe: r.yaml, grid: {train.seed: [1..3]}, set: {optimizer.lr: " +
                lr +
                "}}\n"
                "  b: {recipe: r.yaml, after: a, set: {train.seed: =a.train.seed, model.hidden: [4]}}\n"
                "  c: {recipe: r.yaml, after: b, set: {train.seed: 9}}\n",
            folder / "study.yaml"),
        folder / "runs");
  }
  StudyOutcome run(FakeBackend& backend, const std::string& only = "") {
    testing::internal::CaptureStderr();
    cluster::Log log(0);
    const auto outcome = run_study(plan, select_runs(plan, only, true), 2, backend, *files, log, stop);
    said = testing::internal::GetCapturedStderr();
    return outcome;
  }

  test::TemporaryFolder folder;
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const cluster::StopSignal stop;
  StudyPlan plan;
  std::string said;
};

const auto done = RunFate::done, whole = RunFate::whole, failed = RunFate::failed, skipped = RunFate::skipped,
           stopped = RunFate::stopped;

TEST_F(StudyRunnerTest, RunsStartOnceWhatTheyComeAfterIsWhole) {
  FakeBackend backend(*files, 2);
  const auto outcome = run(backend);
  EXPECT_THAT(outcome.fates, testing::Each(done));
  EXPECT_THAT(backend.started, ElementsAre("a/seed-1", "a/seed-2", "a/seed-3", "b/a-seed-1", "b/a-seed-2",
                                           "b/a-seed-3", "c/run"));
  EXPECT_EQ(backend.most_at_once, 2U);
  FakeBackend again(*files, 2);
  EXPECT_THAT(run(again).fates, testing::Each(whole));
  EXPECT_TRUE(again.started.empty());
}

TEST_F(StudyRunnerTest, AFailedRunTakesWithItWhatComesAfterIt) {
  FakeBackend backend(*files, 3);
  backend.failing = {"a/seed-2"};
  const auto outcome = run(backend);
  EXPECT_THAT(outcome.fates, ElementsAre(done, failed, done, done, skipped, done, skipped));
  ASSERT_TRUE(outcome.failure);
  EXPECT_STREQ(outcome.failure->what(), "no luck (step 3); try again");
  EXPECT_EQ(outcome.problems[4], "a/seed-2 failed");
  EXPECT_EQ(outcome.problems[6], "b/a-seed-2 was skipped");
  EXPECT_THAT(said, HasSubstr("error: a/seed-2: no luck (step 3); try again\n"));
  EXPECT_EQ(run_state(*files, plan.runs[1]).phase, RunPhase::failed) << "its folder remembers";
  FakeBackend again(*files, 3);
  EXPECT_THAT(run(again).fates, ElementsAre(whole, done, whole, whole, done, whole, done));
}

TEST_F(StudyRunnerTest, ARequestToStopEndsWhatRunsAndStartsNothing) {
  FakeBackend backend(*files, 1);
  backend.interrupt_after = "a/seed-2";
  const auto outcome = run(backend);
  EXPECT_EQ(outcome.request, cluster::StopRequest::requeue);
  EXPECT_TRUE(backend.asked);
  EXPECT_EQ(backend.started.size(), 2U);
  EXPECT_THAT(outcome.fates, ElementsAre(done, done, stopped, stopped, stopped, stopped, stopped));
}

TEST_F(StudyRunnerTest, ARunThatSomebodyElseStoppedIsNotTakenForDone) {
  FakeBackend backend(*files, 1);
  backend.stopping = {"a/seed-1"};
  const auto outcome = run(backend);
  EXPECT_TRUE(outcome.stopped_elsewhere);
  EXPECT_THAT(outcome.fates, ElementsAre(stopped, done, done, skipped, done, done, skipped));
}

TEST_F(StudyRunnerTest, AChangedRecipeIsToldBeforeAnythingStarts) {
  FakeBackend first(*files, 1);
  run(first, "a/seed-2");
  replan("0.5");
  FakeBackend second(*files, 1);
  try {
    run(second);
    FAIL() << "a changed run was taken for whole";
  } catch (const UsageError& error) {
    testing::internal::GetCapturedStderr();
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("the folder of a/seed-2 holds another run, optimizer.lr: 0.05 → 0.5"),
                      HasSubstr("--runs")));
  }
  EXPECT_TRUE(second.started.empty());
}

TEST_F(StudyRunnerTest, ARemovedFolderIsTrainedAgainAndSaid) {
  FakeBackend first(*files, 1);
  run(first);
  std::filesystem::remove_all(plan.runs[1].folder);
  FakeBackend second(*files, 1);
  EXPECT_THAT(run(second).fates, ElementsAre(whole, done, whole, whole, whole, whole, whole));
  EXPECT_THAT(said, HasSubstr("a/seed-2 had been done, and its folder is gone"));
}

TEST_F(StudyRunnerTest, OneProcessHasTheStudy) {
  files->make_folders(plan.folder);
  const auto lock = files->lock(plan.folder + "/.lock");
  FakeBackend backend(*files, 1);
  EXPECT_THROW(run(backend), EnvironmentError);
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(backend.started.empty());
}

TEST_F(StudyRunnerTest, WhatIsKeptThoughItsOriginIsTrainedAgainIsSaid) {
  FakeBackend first(*files, 1);
  run(first);
  std::filesystem::remove_all(plan.runs[1].folder);
  FakeBackend second(*files, 1);
  run(second);
  EXPECT_THAT(said, HasSubstr("b/a-seed-2 is whole and is kept, though a/seed-2"));
  EXPECT_THAT(said, testing::Not(HasSubstr("b/a-seed-1 is whole")));
}

/// It had been: started, found whole by train, and "stopped" with a request to start it again, for ever.
TEST_F(StudyRunnerTest, ASummaryThatCannotBeReadIsAFailure) {
  FakeBackend backend(*files, 1);
  backend.stopping = {"a/seed-1"};
  test::write_text(plan.runs[0].folder + "/summary.json", "{\"step\": 12}");
  const auto outcome = run(backend, "a/seed-1");
  EXPECT_THAT(outcome.fates, ElementsAre(failed));
  EXPECT_FALSE(outcome.stopped_elsewhere);
  EXPECT_THAT(said, HasSubstr("no summary of a run"));
}

TEST_F(StudyRunnerTest, ARunThatAnotherProcessTookIsWaitedFor) {
  FakeBackend backend(*files, 1);
  backend.failing = {"a/seed-1"};
  std::unique_ptr<cluster::FileLock> other;
  backend.at_end = [&](const StudyRun& run) {
    if (other || run.name != "a/seed-1") {
      other.reset();
      return;
    }
    other = files->lock(run.folder + "/.lock");
    backend.failing.clear();
  };
  const auto outcome = run(backend, "a/*");
  EXPECT_THAT(outcome.fates, ElementsAre(done, done, done));
  EXPECT_FALSE(outcome.failure);
}

TEST_F(StudyRunnerTest, ARecordOfAnotherFormIsNone) {
  test::write_text(plan.folder + "/study.json",
                   "{\"runs\": [{\"done\": null}, {\"done\": true, \"run\": 5}, 3, {\"done\": true}]}");
  EXPECT_TRUE(recorded_as_done(*files, plan.folder).empty());
}

}  // namespace
}  // namespace smoothlab::launcher
