#include "trainer/run_record.h"

#include <gmock/gmock.h>

#include "cluster/error.h"
#include "support/temporary_folder.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

using testing::ElementsAre;

class RunRecordFolder : public testing::Test {
 protected:
  void touch(const std::string& path, const std::string& text = "") {
    files->make_folders(path.substr(0, path.rfind('/')));
    cluster::write_file_whole(*files, path, text);
  }
  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST_F(RunRecordFolder, FindsRunsInTheOrderOfTheirPaths) {
  for (const char* run : {"b/seed-2", "b/seed-1", "a"}) touch(folder / run + "/recipe.yaml");
  touch(folder / "a/checkpoints/step-4/recipe.yaml");
  touch(folder / "b/.hidden/recipe.yaml");
  touch(folder / "c/notes.txt");
  EXPECT_THAT(find_runs(*files, folder.path() + "/"),
              ElementsAre(folder / "a", folder / "b/seed-1", folder / "b/seed-2"));
  EXPECT_THAT(find_runs(*files, folder / "a"), ElementsAre(folder / "a"));
  EXPECT_THROW(find_runs(*files, folder / "c"), DataError);
  EXPECT_THROW(find_runs(*files, folder / "d"), DataError);
}

TEST_F(RunRecordFolder, TellsWhatARunHasLeft) {
  use_one_core();
  Recipe recipe = small_recipe();
  recipe.logits.splits = {"test"};
  const auto communicator = cluster::make_solo_communicator();
  ASSERT_EQ(run_to_end(recipe, folder / "run", false, *communicator, *files), RunOutcome::finished);
  touch(folder / "run/logits/test.0a1b2c3d.0-of-2.h5");
  touch(folder / "run/logits/notes.txt");
  const RunRecord record = read_run_record(*files, folder / "run");
  EXPECT_EQ(recipe_hash(record.recipe), recipe_hash(recipe));
  EXPECT_EQ(record.metrics.evaluations.size(), 3U);
  ASSERT_TRUE(record.summary);
  EXPECT_EQ(record.summary->step, 20);
  EXPECT_THAT(record.logits, testing::Contains(folder / "run/logits/test.h5"));
  EXPECT_THAT(record.logits, testing::Not(testing::Contains(folder / "run/logits/notes.txt")));
}

TEST_F(RunRecordFolder, NamesAFolderWithoutARun) {
  files->make_folders(folder / "empty");
  EXPECT_THROW(read_run_record(*files, folder / "empty"), DataError);
}

}  // namespace
}  // namespace smoothlab::trainer
