#include "trainer/run_folder.h"

#include <gtest/gtest.h>

#include "cluster/error.h"
#include "support/temporary_folder.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

std::string conflict_between(const Recipe& before, const Recipe& now) {
  return first_conflict(resolved_recipe(before), resolved_recipe(now));
}

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
  Recipe longer = small_recipe();
  longer.train.steps = 40;
  folder.reopen(longer);
  EXPECT_EQ(files->read(folder.recipe()), resolved_recipe(longer));
}

TEST(RunFolder, AllowsWhatDoesNotChangeTheArithmetic) {
  Recipe now = small_recipe();
  now.train.steps += 1;
  now.train.log_every = 7;
  now.train.workers = 3;
  now.evaluate.every = 2;
  now.checkpoint.keep = 5;
  EXPECT_EQ(conflict_between(small_recipe(), now), "");
}

TEST(RunFolder, NamesTheFirstConflict) {
  Recipe now = small_recipe();
  now.train.steps -= 1;
  EXPECT_EQ(conflict_between(small_recipe(), now).substr(0, 11), "train.steps");
  now = small_recipe();
  now.train.global_batch = 14;
  EXPECT_EQ(conflict_between(small_recipe(), now), "train.global_batch: 13 → 14");
  now = small_recipe();
  now.model.hidden = {24, 24};
  EXPECT_EQ(conflict_between(small_recipe(), now).substr(0, 12), "model.hidden");
}

}  // namespace
}  // namespace smoothlab::trainer
