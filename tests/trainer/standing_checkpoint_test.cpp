#include "trainer/standing_checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cluster/error.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"
#include "trainer/checkpoint.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_writer.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

class StandingCheckpointFolder : public testing::Test {
 protected:
  void SetUp() override { files->make_folders(path); }

  /// A checkpoint that knows of the best one up to its step; best: 0, its run does not choose.
  static Checkpoint checkpoint(int64_t step, int64_t best) {
    Checkpoint made;
    made.state.step = step;
    made.state.windows = {{}};
    made.recipe = "train: {steps: 9}\n";
    made.weights.tensors = {{"a", at::full({3}, static_cast<double>(step), at::kFloat)}};
    made.optimizer.tensors = {{"momentum/a", at::zeros({3})}};
    if (best > 0) {
      made.state.best.emplace();
      made.state.best->metric = "accuracy";
      made.state.best->evaluation.step = best;
      made.state.best->evaluation.split = "validation";
    }
    return made;
  }
  void write(int64_t step, int64_t best, int64_t keep = 2) const { write(step, best, keep, *files); }
  void write(int64_t step, int64_t best, int64_t keep, cluster::FileSystem& through) const {
    CheckpointWriter writer(through, path, keep, {});
    writer.write(checkpoint(step, best));
    writer.wait();
  }
  std::vector<int64_t> steps() const { return checkpoint_steps(*files, path); }
  std::string at(int64_t step) const { return path + "/" + checkpoint_name(step); }
  std::string pointer() const { return files->read(best_pointer(path)); }
  StandingCheckpoint standing() {
    const auto found = find_standing_checkpoint(*files, path, log, "bring it back");
    EXPECT_TRUE(found);
    return found.value_or(StandingCheckpoint{});
  }

  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::string path = folder / "checkpoints";
  cluster::Log log{0, true};
};

TEST_F(StandingCheckpointFolder, IsTheNewestWhereNoneIsChosen) {
  EXPECT_FALSE(find_standing_checkpoint(*files, path, log, ""));
  for (const int64_t step : {4, 8, 12}) write(step, 0);
  EXPECT_EQ(standing().step, 12);
  EXPECT_EQ(standing().best, "");
  EXPECT_FALSE(files->exists(best_pointer(path)));
}

TEST_F(StandingCheckpointFolder, OutlivesTheNewestAndIsPointedAt) {
  write(4, 4);
  write(8, 8);
  for (const int64_t step : {12, 16, 20, 24}) write(step, 8);
  EXPECT_EQ(steps(), (std::vector<int64_t>{8, 20, 24}));
  EXPECT_EQ(pointer(), "step-8\n");
  EXPECT_EQ(standing().step, 8);
  EXPECT_EQ(standing().folder, at(8));
  EXPECT_EQ(standing().best, "accuracy");
  write(28, 28);
  EXPECT_EQ(standing().step, 28);
  EXPECT_EQ(pointer(), "step-28\n");
  EXPECT_EQ(steps(), (std::vector<int64_t>{8, 24, 28})) << "a run that goes on from 24 needs 8";
  write(32, 28);
  EXPECT_EQ(steps(), (std::vector<int64_t>{28, 32}));
  write(36, 0);  // given up
  EXPECT_FALSE(files->exists(best_pointer(path)));
  EXPECT_EQ(standing().step, 36);
  write(40, 0);
  EXPECT_EQ(steps(), (std::vector<int64_t>{36, 40}));
}

// What the newest whole checkpoint knows counts, and that it knows of is there.
TEST_F(StandingCheckpointFolder, IsThatOfTheOneBeforeWhereTheNewestIsDamaged) {
  write(4, 4);
  for (const int64_t step : {8, 12}) write(step, 4);
  write(16, 16);
  files->truncate(at(16) + "/weights.safetensors", 10);
  EXPECT_EQ(standing().step, 4);
}

TEST_F(StandingCheckpointFolder, IsNamedWhereItIsDamagedOrGone) {
  write(4, 4);
  for (const int64_t step : {8, 12}) write(step, 4);
  const auto expect_named = [&](const std::string& part) {
    try {
      find_standing_checkpoint(*files, path, log, "bring it back");
      ADD_FAILURE() << "another one stood for it";
    } catch (const DataError& error) {
      EXPECT_EQ(error.where(), at(4));
      EXPECT_THAT(error.problem(), HasSubstr(part));
      EXPECT_EQ(error.remedy(), "bring it back");
    }
  };
  files->truncate(at(4) + "/weights.safetensors", 10);
  expect_named("weights.safetensors");
  files->remove_all(at(4));
  expect_named("manifest.json: missing");
  EXPECT_EQ(steps(), (std::vector<int64_t>{8, 12})) << "nothing was removed";
}

// Whatever operation a fault strikes while a better one replaces the best: what stands is whole, the old best
// or the new one.
TEST_F(StandingCheckpointFolder, OutlivesAFaultAtEveryOperation) {
  for (const auto fault :
       {test::Fault::no_space, test::Fault::torn, test::Fault::killed, test::Fault::power_cut}) {
    for (int operation = 1;; ++operation) {
      files->remove_all(path);
      files->make_folders(path);
      write(4, 4, 1);
      write(8, 4, 1);
      test::FaultyFileSystem faulty(files);
      faulty.fail_at(operation, fault);
      try {
        write(12, 12, 1, faulty);
      } catch (const Error&) {
      }
      remove_unfinished_checkpoints(*files, path);
      const auto found = find_standing_checkpoint(*files, path, log, "");
      ASSERT_TRUE(found) << "operation " << operation;
      EXPECT_EQ(found->step, files->exists(at(12)) ? 12 : 4) << "operation " << operation;
      EXPECT_EQ(checkpoint_damage(*files, found->folder, found->step), "") << "operation " << operation;
      const std::string pointed = path + "/" + pointer();
      EXPECT_TRUE(files->exists(pointed.substr(0, pointed.size() - 1))) << "operation " << operation;
      write(12, 12, 1);
      EXPECT_EQ(steps(), std::vector<int64_t>{12});
      EXPECT_EQ(pointer(), "step-12\n");
      if (!faulty.has_failed()) break;
    }
  }
}

// A step is written again where its evaluation comes after it.
TEST_F(StandingCheckpointFolder, BecomesTheBestWhereItsEvaluationComesLater) {
  write(4, 4);
  write(8, 4);
  write(8, 8);
  EXPECT_EQ(standing().step, 8);
  EXPECT_EQ(pointer(), "step-8\n");
  write(12, 8, 1);
  EXPECT_EQ(steps(), (std::vector<int64_t>{8, 12}));
}

TEST_F(StandingCheckpointFolder, KeepsTheBitsOfTheEvaluation) {
  Checkpoint made = checkpoint(4, 4);
  EvaluationMetrics& line = made.state.best->evaluation;
  line.rows = 21;
  line.accuracy = 1.0 / 3;
  line.nll = 0.1;
  line.brier = std::nextafter(0.7, 1);
  CheckpointWriter writer(*files, path, 1, {});
  writer.write(made);
  writer.wait();
  const auto known = known_best(*files, at(4));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->metric, "accuracy");
  EXPECT_EQ(known->evaluation.rows, 21);
  EXPECT_EQ(known->evaluation.accuracy, line.accuracy);
  EXPECT_EQ(known->evaluation.nll, line.nll);
  EXPECT_EQ(known->evaluation.brier, line.brier);
}

// State of a program that did not choose.
TEST_F(StandingCheckpointFolder, TakesAStateWithoutOne) {
  write(4, 0);
  std::string state = files->read(at(4) + "/state.json");
  const size_t begin = state.find(",\n  \"best\"");
  ASSERT_NE(begin, std::string::npos) << state;
  state.erase(begin, state.rfind('\n', state.size() - 2) - begin);
  cluster::write_file_whole(*files, at(4) + "/state.json", state);
  EXPECT_FALSE(known_best(*files, at(4)));
}

}  // namespace
}  // namespace smoothlab::trainer
