#include "trainer/run_folder.h"

#include <gtest/gtest.h>

#include "cluster/error.h"
#include "support/temporary_folder.h"
#include "trainer/run_summary.h"
#include "trainer/schedule.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

TEST(RunFolder, BeginsOnce) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder folder(*files, temporary / "run/");
  EXPECT_EQ(folder.path(), temporary / "run");
  EXPECT_FALSE(folder.holds_run());
  folder.begin(small_recipe());
  EXPECT_TRUE(folder.holds_run());
  EXPECT_EQ(files->read(folder.recipe()), resolved_recipe(small_recipe()));
  EXPECT_TRUE(files->exists(folder.checkpoints()));
  try {
    folder.begin(small_recipe());
    FAIL() << "a second run began in the same folder";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("--resume"), std::string::npos) << error.what();
  }
}

TEST(RunFolder, ReopensWithTheSameRecipeOnly) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder folder(*files, temporary / "run");
  folder.begin(small_recipe());
  folder.reopen(small_recipe());
  Recipe other = small_recipe();
  other.targets.alpha = 0.2;
  try {
    folder.reopen(other);
    FAIL() << "another recipe was taken";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("targets.alpha"), std::string::npos) << error.what();
  }
  Recipe denser = small_recipe();
  denser.evaluate.every = 2;
  folder.reopen(denser);
  EXPECT_EQ(files->read(folder.recipe()), resolved_recipe(denser));
}

// Two resumed runs in one folder used to mix their checkpoints and call each other's damaged.
TEST(RunFolder, BelongsToOneProcessAtATime) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder other(*files, temporary / "run");
  {
    RunFolder folder(*files, temporary / "run");
    EXPECT_FALSE(folder.claim(true)) << "there is no folder yet";
    folder.begin(small_recipe());
    EXPECT_THROW(other.claim(true), EnvironmentError);
    EXPECT_THROW(other.claim(false), EnvironmentError);
    EXPECT_THROW(other.begin(small_recipe()), EnvironmentError);
  }
  EXPECT_THROW(other.claim(false), UsageError) << "a run is there, but resuming was not asked for";
  EXPECT_TRUE(other.claim(true));
  EXPECT_TRUE(other.claim(true)) << "claimed again by its holder";
}

TEST(RunFolder, RefusesToBeginOverCheckpointsWhoseRecipeIsGone) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder folder(*files, temporary / "run");
  folder.begin(small_recipe());
  files->make_folders(folder.checkpoints() + "/step-7");
  files->remove_all(folder.recipe());
  try {
    folder.begin(small_recipe());
    FAIL() << "a run began over another's checkpoints";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("put recipe.yaml back"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(files->exists(folder.recipe()));
}

// What a version of the program that did not know a key yet has written.
TEST(RunFolder, TakesKeysThatItsRecipeLacksForDefaults) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder folder(*files, temporary / "run");
  folder.begin(small_recipe());
  const std::string whole = files->read(folder.recipe()), line = "  disturb_label: 0\n";
  const size_t at = whole.find(line);
  ASSERT_NE(at, std::string::npos) << whole;
  std::string older = whole;
  cluster::write_file_whole(*files, folder.recipe(), older.erase(at, line.size()));
  Recipe other = small_recipe();
  other.targets.disturb_label = 0.1;
  EXPECT_THROW(folder.reopen(other), UsageError);
  folder.reopen(small_recipe());
  EXPECT_EQ(files->read(folder.recipe()), whole);
}

TEST(RunFolder, SaysWhereItsRecipeCannotBeRead) {
  const test::TemporaryFolder temporary;
  const auto files = cluster::local_file_system();
  RunFolder folder(*files, temporary / "run");
  folder.begin(small_recipe());
  cluster::write_file_whole(*files, folder.recipe(), "task: {data: [");
  EXPECT_THROW(folder.reopen(small_recipe()), DataError);
}

TEST(RunFolder, AllowsWhatDoesNotChangeTheArithmetic) {
  Recipe now = small_recipe();
  now.task.path = "/scratch of another node";
  now.train.log_every = 7;
  now.train.workers = 3;
  now.evaluate.every = 2;
  now.checkpoint.keep = 5;
  EXPECT_EQ(first_conflict(small_recipe(), now), "");
}

/// The error that ends it says that more may be allowed for.
TEST(RunFolder, ARunThatDamagedImagesHaveEndedMayGoOn) {
  Recipe now = small_recipe();
  now.task.damaged = 0.01;
  EXPECT_EQ(first_conflict(small_recipe(), now), "");
}

TEST(RunFolder, LetsARunGrowUnlessItsScheduleDependsOnItsLength) {
  for (const char* name : {"constant", "step", "linear", "cosine", "exponential", "inverse-square-root"}) {
    Recipe before = small_recipe();
    before.schedule.name = name;
    Recipe longer = before;
    longer.train.steps += 1;
    if (Schedule::depends_on_length(before.schedule)) {
      EXPECT_EQ(first_conflict(before, longer), "train.steps: 20 → 21, and schedule.name " +
                                                    std::string(name) + " depends on the run's length");
    } else {
      EXPECT_EQ(first_conflict(before, longer), "") << name;
    }
    before.train.steps = longer.train.steps = 0;
    before.train.epochs = 2;
    longer.train.epochs = 3;
    EXPECT_EQ(first_conflict(before, longer).empty(), !Schedule::depends_on_length(before.schedule)) << name;
    EXPECT_NE(first_conflict(longer, before), "") << name;
  }
}

TEST(RunFolder, NamesTheFirstConflict) {
  Recipe now = small_recipe();
  now.train.steps -= 1;
  EXPECT_EQ(first_conflict(small_recipe(), now).substr(0, 11), "train.steps");
  now = small_recipe();
  now.train.global_batch = 14;
  EXPECT_EQ(first_conflict(small_recipe(), now), "train.global_batch: 13 → 14");
  now = small_recipe();
  now.model.hidden = {24, 24};
  EXPECT_EQ(first_conflict(small_recipe(), now).substr(0, 12), "model.hidden");
}

/// Else a run that died before its first new step would pass for whole.
TEST(RunFolder, ARunThatBecomesLongerHasNoSummary) {
  const test::TemporaryFolder parent;
  const auto files = cluster::local_file_system();
  Recipe recipe = small_recipe();
  recipe.schedule = {};
  const std::string path = parent / "run";
  { RunFolder(*files, path).begin(recipe); }
  write_summary(*files, path, {});
  recipe.train.log_every = 7;
  { RunFolder(*files, path).reopen(recipe); }
  EXPECT_TRUE(files->exists(summary_path(path))) << "it is no longer than before";
  recipe.train.steps += 1;
  { RunFolder(*files, path).reopen(recipe); }
  EXPECT_FALSE(files->exists(summary_path(path)));
  write_summary(*files, path, {});
  files->remove_all(path + "/recipe.yaml");
  { RunFolder(*files, path).begin(recipe); }
  EXPECT_FALSE(files->exists(summary_path(path)));
}

}  // namespace
}  // namespace smoothlab::trainer
