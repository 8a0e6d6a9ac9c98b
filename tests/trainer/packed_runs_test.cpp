#include "trainer/packed_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

class PackedRuns : public testing::Test {
 protected:
  void SetUp() override { use_one_core(); }

  PackedRun run(const Recipe& recipe, const std::string& name) const {
    PackedRun packed{recipe, {}};
    packed.options.folder = folder / name;
    return packed;
  }
  std::vector<PackedOutcome> train(const std::vector<PackedRun>& runs) {
    return train_pack(runs, *solo, *files, log, stop);
  }

  test::TemporaryFolder folder;
  std::unique_ptr<cluster::Communicator> solo = cluster::make_solo_communicator();
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  cluster::Log log{0, true};
  const cluster::StopSignal stop;
};

TEST_F(PackedRuns, EachIsAsIfItWereAlone) {
  Recipe dropped = small_recipe(), normed = small_resnet_recipe(), seeded = small_recipe();
  seeded.train.seed = 2;
  seeded.train.steps = 12;
  const auto outcomes = train({run(dropped, "a"), run(normed, "b"), run(seeded, "c")});
  ASSERT_EQ(outcomes.size(), 3U);
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.outcome, RunOutcome::finished) << outcome.folder;
    EXPECT_EQ(outcome.step, outcome.steps);
    ASSERT_TRUE(outcome.evaluation) << outcome.folder;
    EXPECT_EQ(outcome.evaluation->step, outcome.steps);
  }
  EXPECT_EQ(outcomes[2].steps, 12);
  run_to_end(dropped, folder / "alone-a", false, *solo, *files);
  run_to_end(normed, folder / "alone-b", false, *solo, *files);
  run_to_end(seeded, folder / "alone-c", false, *solo, *files);
  expect_same_runs(folder / "a", folder / "alone-a", 20);
  expect_same_runs(folder / "b", folder / "alone-b", 8);
  expect_same_runs(folder / "c", folder / "alone-c", 12);
}

TEST_F(PackedRuns, OneThatFailsLeavesTheOthersAlone) {
  Recipe diverging = small_recipe(), good = small_recipe();
  diverging.optimizer.lr = 1e30;
  diverging.optimizer.clip_norm = 0;
  good.train.steps = 6;
  files->make_folders(folder / "taken");
  cluster::write_file_whole(*files, folder / "taken/recipe.yaml", "task: {data: generated}\n");
  const auto outcomes = train({run(diverging, "diverging"), run(good, "good"), run(good, "taken")});
  ASSERT_TRUE(outcomes[0].failure);
  EXPECT_THAT(outcomes[0].failure->what(), testing::HasSubstr("the loss is"));
  EXPECT_LT(outcomes[0].step, outcomes[0].steps);
  EXPECT_EQ(outcomes[1].outcome, RunOutcome::finished);
  ASSERT_TRUE(outcomes[2].failure);
  EXPECT_EQ(outcomes[2].failure->code(), ExitCode::usage);
  run_to_end(good, folder / "alone", false, *solo, *files);
  expect_same_runs(folder / "good", folder / "alone", 6);
}

TEST_F(PackedRuns, GoOnWhereTheyStopped) {
  Recipe recipe = small_recipe();
  recipe.train.steps = 8;
  PackedRun first = run(recipe, "a");
  ASSERT_EQ(train({first})[0].outcome, RunOutcome::finished);
  first.options.resume = true;
  PackedRun second = run(recipe, "b");
  second.options.resume = true;
  const auto outcomes = train({first, second});
  EXPECT_EQ(outcomes[0].outcome, RunOutcome::finished);
  EXPECT_EQ(outcomes[1].outcome, RunOutcome::finished);
  expect_same_runs(folder / "a", folder / "b", 8);
}

}  // namespace
}  // namespace smoothlab::trainer
