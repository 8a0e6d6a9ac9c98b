#include "trainer/run_judge.h"

#include <gmock/gmock.h>

#include "cluster/error.h"
#include "eval/logit_file.h"
#include "support/temporary_folder.h"
#include "trainer/run_plan.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Recipe watched_recipe() {
  Recipe recipe = small_recipe();
  recipe.logits.splits = {"train", "validation"};
  recipe.logits.at = {0, 5};
  recipe.logits.every = 8;
  recipe.information.classes = {"ring", "square"};
  recipe.information.every = 10;
  recipe.information.examples = 6;
  recipe.information.draws = 3;
  return recipe;
}

class RunJudgeFiles : public testing::Test {
 protected:
  void SetUp() override { use_one_core(); }
  void train(const Recipe& recipe, const std::string& name) {
    const auto communicator = cluster::make_solo_communicator();
    ASSERT_EQ(run_to_end(recipe, folder / name, false, *communicator, *files), RunOutcome::finished);
  }
  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
};

TEST(RunJudge, KnowsWhatIsDue) {
  const Recipe recipe = watched_recipe();
  const auto due = [&](int64_t step) { return due_judgement(recipe, step, 20); };
  EXPECT_FALSE(due(0).evaluation);
  EXPECT_TRUE(due(0).logits);
  EXPECT_TRUE(due(0).information);
  EXPECT_TRUE(due(5).logits);
  EXPECT_FALSE(due(5).evaluation);
  EXPECT_TRUE(due(8).evaluation && due(8).logits && !due(8).information);
  EXPECT_TRUE(due(10).information && !due(10).logits);
  EXPECT_FALSE(due(11).any());
  EXPECT_TRUE(due(20).evaluation && due(20).logits && due(20).information);
  const DueJudgement plain = due_judgement(small_recipe(), 20, 20);
  EXPECT_TRUE(plain.evaluation && !plain.logits && !plain.information);
}

TEST_F(RunJudgeFiles, LeaveATrajectory) {
  train(watched_recipe(), "run");
  const auto names = files->list(folder / "run/logits");
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "draws.h5", "step-0-draws.h5", "step-0-train.h5", "step-0-validation.h5", "step-10-draws.h5",
                "step-16-train.h5", "step-16-validation.h5", "step-5-train.h5", "step-5-validation.h5",
                "step-8-train.h5", "step-8-validation.h5", "train.h5", "validation.h5"}));
  const eval::LogitFile train(folder / "run/logits/step-5-train.h5");
  EXPECT_EQ(train.rows(), 69);
  EXPECT_EQ(train.penultimate(), 24);
  EXPECT_EQ(train.attribute("step"), "5");
  EXPECT_EQ(train.attribute("split"), "train");
  EXPECT_EQ(train.class_names().size(), 4U);
  const eval::LogitFile draws(folder / "run/logits/draws.h5");
  ASSERT_EQ(draws.rows(), 2 * 6 * 3);
  EXPECT_EQ(draws.penultimate(), 0);
  EXPECT_EQ(draws.attribute("step"), "20");
  std::vector<int64_t> ids(36), labels(36);
  draws.read_sample_ids(0, 36, ids.data());
  draws.read_labels(0, 36, labels.data());
  for (size_t row = 0; row < 36; ++row) {
    EXPECT_EQ(ids[row], ids[row - row % 3]);
    EXPECT_TRUE(labels[row] == 1 || labels[row] == 2);
  }
}

TEST_F(RunJudgeFiles, TakeThatPassWhichMetricsComeFrom) {
  Recipe recipe = watched_recipe();
  train(recipe, "watched");
  train(small_recipe(), "plain");
  const auto metrics = read_metrics(*files, folder / "watched/metrics.jsonl"),
             plain = read_metrics(*files, folder / "plain/metrics.jsonl");
  EXPECT_EQ(metrics.information.size(), 3U);
  ASSERT_EQ(metrics.training.size(), plain.training.size());
  for (size_t i = 0; i < plain.training.size(); ++i)
    EXPECT_EQ(metrics.training[i].loss, plain.training[i].loss) << "being watched changes no step";
  ASSERT_EQ(metrics.evaluations.size(), plain.evaluations.size());
  EXPECT_EQ(metrics.evaluations.back().nll, plain.evaluations.back().nll);
  const eval::LogitFile file(folder / "watched/logits/validation.h5");
  std::vector<float> logits(static_cast<size_t>(file.rows() * file.classes()));
  std::vector<int64_t> labels(static_cast<size_t>(file.rows()));
  file.read_logits(0, file.rows(), logits.data());
  file.read_labels(0, file.rows(), labels.data());
  eval::CalibrationSums sums;
  eval::accumulate_calibration(logits.data(), labels.data(), file.rows(), file.classes(), 1.0, sums);
  EXPECT_EQ(sums.accuracy(), metrics.evaluations.back().accuracy);
  EXPECT_NEAR(sums.mean_nll(), metrics.evaluations.back().nll, 1e-12);
}

TEST_F(RunJudgeFiles, MayBeOfHalfPrecisionAndLogitsOnly) {
  Recipe recipe = small_recipe();
  recipe.logits.splits = {"test"};
  recipe.logits.penultimate = false;
  recipe.logits.precision = "float16";
  train(recipe, "run");
  EXPECT_THAT(files->list(folder / "run/logits"), testing::ElementsAre("test.h5"));
  EXPECT_EQ(eval::LogitFile(folder / "run/logits/test.h5").penultimate(), 0);
}

TEST_F(RunJudgeFiles, MayBeSummaries) {
  Recipe recipe = watched_recipe();
  recipe.logits.splits = {"test"};
  recipe.logits.keep = "summary";
  train(recipe, "run");
  const eval::LogitFile file(folder / "run/logits/test.h5", eval::Incomplete::refuse, eval::Compact::refuse,
                             eval::Summary::accept);
  EXPECT_TRUE(file.is_summary());
  EXPECT_EQ(file.classes(), 4);
  EXPECT_EQ(file.kept(), 4);
  EXPECT_FALSE(eval::LogitFile(folder / "run/logits/draws.h5").is_summary()) << "information takes logits";
  const Recipe again = parse_recipe(resolved_recipe(recipe), "again", {});
  EXPECT_EQ(again.logits.keep, "summary");
}

void expect_refused(const Recipe& recipe, const std::string& key, const std::string& remedy) {
  try {
    plan_run(recipe, 1);
    FAIL() << "taken: " << key;
  } catch (const UsageError& error) {
    EXPECT_THAT(error.where(), HasSubstr(key));
    EXPECT_THAT(error.remedy(), HasSubstr(remedy));
  }
}

TEST(RunJudge, NamesTheNearestClass) {
  Recipe recipe = watched_recipe();
  recipe.information.classes = {"ring", "squares"};
  expect_refused(recipe, "information.classes", "square");
  recipe.information.classes = {"ring", "7"};
  expect_refused(recipe, "information.classes", "from 0 to 3");
  recipe.information.classes = {"ring", "2"};  // as of two classes of one name
  EXPECT_NO_THROW(plan_run(recipe, 1));
}

TEST(RunJudge, SaysHowManyExamplesThereAre) {
  Recipe recipe = watched_recipe();
  recipe.information.examples = 300;
  expect_refused(recipe, "information.examples", "at most 17");
}

}  // namespace
}  // namespace smoothlab::trainer
