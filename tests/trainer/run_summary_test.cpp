#include "trainer/run_summary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cluster/error.h"
#include "support/temporary_folder.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

class RunSummaryFile : public testing::Test {
 protected:
  void SetUp() override { use_one_core(); }
  RunOutcome train(const Recipe& recipe, bool resume) {
    const auto communicator = cluster::make_solo_communicator();
    return run_to_end(recipe, run, resume, *communicator, *files);
  }
  const test::TemporaryFolder folder;
  const std::string run = folder / "run";
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST_F(RunSummaryFile, SaysWhatARunCameTo) {
  const Recipe recipe = small_recipe();
  ASSERT_EQ(train(recipe, false), RunOutcome::finished);
  const auto summary = read_summary(*files, run);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->step, 20);
  EXPECT_EQ(summary->parameters, 24 * (3 * 32 * 32 + 1) + 4 * (24 + 1));
  EXPECT_EQ(summary->ranks, 1);
  EXPECT_EQ(summary->device, "cpu");
  EXPECT_EQ(summary->recipe_hash, recipe_hash(recipe));
  EXPECT_GT(summary->samples_per_second, 0);
  const auto metrics = read_metrics(*files, run + "/metrics.jsonl");
  ASSERT_TRUE(summary->evaluation);
  EXPECT_EQ(summary->evaluation->step, 20);
  EXPECT_EQ(summary->evaluation->ece, metrics.evaluations.back().ece);
  EXPECT_EQ(summary->evaluation->accuracy, metrics.evaluations.back().accuracy);
}

TEST_F(RunSummaryFile, IsGoneWhileARunIsMadeLonger) {
  Recipe recipe = small_recipe();
  recipe.schedule = {};
  ASSERT_EQ(train(recipe, false), RunOutcome::finished);
  recipe.train.steps = 30;
  {
    const auto communicator = cluster::make_solo_communicator();
    cluster::Log log(0, true);
    RunOptions options{run, true, true, {}};
    const TrainingRun longer(recipe, options, *communicator, *files, log);
    EXPECT_FALSE(read_summary(*files, run));
  }
  ASSERT_EQ(train(recipe, true), RunOutcome::finished);
  EXPECT_EQ(read_summary(*files, run)->step, 30);
}

TEST_F(RunSummaryFile, ComesBackForARunThatHasEnded) {
  ASSERT_EQ(train(small_recipe(), false), RunOutcome::finished);
  const auto before = read_summary(*files, run);
  files->remove_all(summary_path(run));
  ASSERT_EQ(train(small_recipe(), true), RunOutcome::finished);
  const auto after = read_summary(*files, run);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->step, before->step);
  EXPECT_EQ(after->evaluation->nll, before->evaluation->nll);
}

TEST_F(RunSummaryFile, NamesADamagedOne) {
  files->make_folders(run);
  EXPECT_FALSE(read_summary(*files, run));
  cluster::write_file_whole(*files, summary_path(run), "{\"step\": \"ten\"}");
  EXPECT_THROW(read_summary(*files, run), DataError);
}

TEST_F(RunSummaryFile, SaysWhatWasChosen) {
  files->make_folders(run);
  RunSummary summary;
  summary.step = 20;
  write_summary(*files, run, summary);
  EXPECT_FALSE(read_summary(*files, run)->best);
  EXPECT_EQ(read_summary(*files, run)->standing_step(), 20);
  std::string before = files->read(summary_path(run));
  const size_t key = before.find("  \"best\": null,\n");
  ASSERT_NE(key, std::string::npos) << before;
  cluster::write_file_whole(*files, summary_path(run), before.erase(key, before.find('\n', key) + 1 - key));
  EXPECT_FALSE(read_summary(*files, run)->best) << "one of a program that did not choose";
  summary.best = RunSummary::Best{"nll", 8};
  write_summary(*files, run, summary);
  ASSERT_TRUE(read_summary(*files, run)->best);
  EXPECT_EQ(read_summary(*files, run)->best->metric, "nll");
  EXPECT_EQ(read_summary(*files, run)->standing_step(), 8);
}

TEST_F(RunSummaryFile, KeepsFiguresThatAreNoNumbers) {
  files->make_folders(run);
  RunSummary summary;
  summary.evaluation.emplace();
  summary.evaluation->nll = std::nan("");
  write_summary(*files, run, summary);
  EXPECT_TRUE(std::isnan(read_summary(*files, run)->evaluation->nll));
}

}  // namespace
}  // namespace smoothlab::trainer
