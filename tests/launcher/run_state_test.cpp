#include "launcher/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/program.h"
#include "support/temporary_folder.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/run_summary.h"
#include "trainer/teacher_record.h"

namespace smoothlab::launcher {
namespace {

using testing::HasSubstr;

class RunStateTest : public testing::Test {
 protected:
  RunStateTest() {
    run.name = "t/run";
    run.folder = folder / "t/run";
    set_recipe(test::small_recipe());
  }
  void set_recipe(const std::string& text) {
    run.recipe = trainer::parse_recipe(text, "r.yaml", {});
    run.resolved = trainer::resolved_recipe(run.recipe);
  }
  void begin() const { test::write_text(run.folder + "/recipe.yaml", run.resolved); }
  void end(int64_t steps) const {
    trainer::RunSummary summary;
    summary.step = steps;
    summary.seconds = 3;
    summary.evaluation.emplace();
    summary.evaluation->accuracy = 0.5;
    trainer::write_summary(*files, run.folder, summary);
  }
  RunState state() const { return run_state(*files, run); }

  test::TemporaryFolder folder;
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  StudyRun run;
};

TEST_F(RunStateTest, WaitsUntilThereIsARecipe) {
  EXPECT_EQ(state().phase, RunPhase::waiting);
  begin();
  EXPECT_EQ(state().phase, RunPhase::stopped);
  EXPECT_EQ(state().step, 0);
}

TEST_F(RunStateTest, IsDoneWhereThereIsASummary) {
  begin();
  end(12);
  EXPECT_EQ(state().phase, RunPhase::done);
  EXPECT_EQ(state().step, 12);
  EXPECT_EQ(state().seconds_per_step, 0.25);
  ASSERT_TRUE(state().evaluation);
  EXPECT_EQ(state().evaluation->accuracy, 0.5);
}

TEST_F(RunStateTest, StandsAtTheNewestCheckpointWhereNobodyTrains) {
  begin();
  test::write_text(run.folder + "/metrics.jsonl",
                   "{\"step\": 9, \"seconds\": 18, \"samples_per_second\": 1}\n{\"step\": 10, \"sec");
  std::filesystem::create_directories(run.folder + "/checkpoints/step-4");
  std::filesystem::create_directories(run.folder + "/checkpoints/step-8");
  EXPECT_EQ(state().step, 8);
  EXPECT_EQ(state().seconds_per_step, 2);
  const auto lock = files->lock(run.folder + "/.lock");
  EXPECT_EQ(state().phase, RunPhase::running);
  EXPECT_EQ(state().step, 9);
}

TEST_F(RunStateTest, HasFailedWhereItSaidSo) {
  begin();
  test::write_text(stderr_path(run.folder), "warning: x\nerror: the loss is not finite (step 3)\nbye\n");
  EXPECT_EQ(state().phase, RunPhase::failed);
  EXPECT_EQ(state().problem, "the loss is not finite (step 3)");
  end(12);
  EXPECT_EQ(state().phase, RunPhase::done) << "somebody went on with it";
}

TEST_F(RunStateTest, OfAnotherRecipeIsChanged) {
  begin();
  end(12);
  set_recipe(test::small_recipe_with({{"lr: 0.05", "lr: 0.5"}}));
  EXPECT_EQ(state().phase, RunPhase::changed);
  EXPECT_THAT(state().problem, HasSubstr("optimizer.lr: 0.05 → 0.5"));
  test::write_text(run.folder + "/recipe.yaml", "task: {\n");
  EXPECT_EQ(state().phase, RunPhase::changed);
  std::filesystem::remove(run.folder + "/recipe.yaml");
  std::filesystem::create_directories(run.folder + "/checkpoints/step-8");
  EXPECT_THAT(state().problem, HasSubstr("recipe.yaml of their run is gone"));
}

TEST_F(RunStateTest, OfARecipeThatTrainsTheSameIsDone) {
  begin();
  end(12);
  set_recipe(test::small_recipe_with({{"log_every: 4", "log_every: 3"}}));
  EXPECT_EQ(state().phase, RunPhase::done);
}

// What stands for it is chosen while it trains.
TEST_F(RunStateTest, ThatHasChosenOtherwiseIsChanged) {
  const auto chosen_by = [](const std::string& metric) {
    return test::small_recipe_with(
        {{"split: test", "split: validation"}, {"keep: 2", "keep: 2, best: " + metric}});
  };
  set_recipe(chosen_by("accuracy"));
  begin();
  set_recipe(chosen_by("nll"));
  EXPECT_EQ(state().phase, RunPhase::stopped) << "it goes on";
  end(12);
  EXPECT_EQ(state().phase, RunPhase::changed);
  EXPECT_EQ(state().problem, "checkpoint.best: accuracy → nll");
  set_recipe(chosen_by("accuracy"));
  EXPECT_EQ(state().phase, RunPhase::done);
}

TEST_F(RunStateTest, OfARecipeThatHasBecomeLongerGoesOn) {
  begin();
  end(12);
  std::filesystem::create_directories(run.folder + "/checkpoints/step-12");
  set_recipe(test::small_recipe_with({{"steps: 12", "steps: 20"}}));
  EXPECT_EQ(state().phase, RunPhase::stopped);
  EXPECT_EQ(state().step, 12);
}

/// As when the sitting that should have made it longer died before its first step.
TEST_F(RunStateTest, WithTheSummaryOfAShorterRunIsNotDone) {
  set_recipe(test::small_recipe_with({{"steps: 12", "steps: 20"}}));
  begin();
  end(12);
  EXPECT_EQ(state().phase, RunPhase::stopped);
}

TEST_F(RunStateTest, OfAnotherTeacherIsChanged) {
  const std::string taught =
      std::string(test::small_recipe()) + "teacher: {loss: paper, run: runs/a, beta: 0.5}\n";
  set_recipe(taught);
  begin();
  end(12);
  EXPECT_EQ(state().phase, RunPhase::done);
  set_recipe(std::string(test::small_recipe()) + "teacher: {loss: paper, run: runs/b, beta: 0.5}\n");
  EXPECT_EQ(state().phase, RunPhase::changed);
  EXPECT_THAT(state().problem, HasSubstr("teacher.run"));
}

TEST_F(RunStateTest, OfATeacherThatBecameAnotherIsChanged) {
  set_recipe(std::string(test::small_recipe()) + "teacher: {loss: paper, run: " + std::string(folder / "t") +
             ", beta: 0.5}\n");
  begin();
  end(12);
  const auto checkpoint = [&](int64_t step, const std::string& weights) {
    const std::string path = folder / ("t/checkpoints/step-" + std::to_string(step));
    trainer::CheckpointManifest manifest;
    manifest.step = step;
    manifest.files["weights.safetensors"] = {weights.size(),
                                             cluster::checksum(weights.data(), weights.size())};
    test::write_text(path + "/weights.safetensors", weights);
    test::write_text(path + "/manifest.json", trainer::to_json(manifest));
  };
  const std::string weights = "as it was";
  trainer::TeacherRecord teacher;
  teacher.crc32 = cluster::checksum(weights.data(), weights.size());
  trainer::write_teacher(*files, run.folder, teacher);
  EXPECT_EQ(state().phase, RunPhase::done) << "the teacher is not there";
  checkpoint(10, weights);
  EXPECT_EQ(state().phase, RunPhase::done);
  checkpoint(20, "learnt more");
  EXPECT_EQ(state().phase, RunPhase::changed);
  EXPECT_THAT(state().problem, HasSubstr("has other weights now"));
}

}  // namespace
}  // namespace smoothlab::launcher
