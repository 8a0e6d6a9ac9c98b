#include "trainer/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "cluster/log.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/checkpoint_reader.h"
#include "trainer/checkpoint_writer.h"

namespace smoothlab::trainer {
namespace {

Checkpoint sample_checkpoint(int64_t step) {
  Checkpoint checkpoint;
  checkpoint.state.step = step;
  checkpoint.state.ranks = 2;
  checkpoint.state.seed = 0xffffffffffffffffULL;
  checkpoint.state.seconds = 0.1;
  checkpoint.state.evaluation_pending = true;
  checkpoint.state.order = {"b", "a"};
  checkpoint.state.windows = {{1.0 / 3.0, 4, 9}, {2.5, 1, 8}};
  checkpoint.recipe = "train: {steps: 9}\n";
  const at::Tensor kernel =
      at::arange(3 * 4 * 2 * 2, at::kFloat).view({3, 4, 2, 2}) + static_cast<double>(step);
  checkpoint.weights.tensors = {{"a", kernel.contiguous(at::MemoryFormat::ChannelsLast)},
                                {"b", at::full({5}, static_cast<double>(step), at::kFloat)}};
  checkpoint.weights.metadata = {{"step", std::to_string(step)}};
  checkpoint.optimizer.tensors = {{"momentum/a", kernel * 2}, {"momentum/b", at::zeros({5})}};
  checkpoint.average.tensors = {{"a", kernel * 3}};
  for (int rank = 0; rank < 2; ++rank) {
    models::TensorFile own;
    own.tensors = {{"mean", at::full({2}, rank, at::kFloat)}};
    checkpoint.ranks.push_back(own);
  }
  return checkpoint;
}

class CheckpointFolder : public testing::Test {
 protected:
  void SetUp() override { files->make_folders(path); }
  void write(int64_t step, cluster::FileSystem& through) const {
    CheckpointWriter writer(through, path, 2, {});
    writer.write(sample_checkpoint(step));
    writer.wait();
  }
  void write(int64_t step) const { write(step, *files); }
  std::string at(int64_t step) const { return path + "/" + checkpoint_name(step); }
  /// Every file of a checkpoint.
  std::vector<std::string> contents(int64_t step) const {
    std::vector<std::string> names;
    for (const auto& name : files->list(at(step)))
      if (name != "ranks") names.push_back(name);
    for (const auto& name : files->list(at(step) + "/ranks")) names.push_back("ranks/" + name);
    return names;
  }

  const test::TemporaryFolder folder;
  const std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();
  const std::string path = folder / "checkpoints";
  cluster::Log log{0, true};
};

TEST_F(CheckpointFolder, GivesBackWhatWasWritten) {
  write(8);
  const auto found = find_newest_checkpoint(*files, path, log);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 8);
  const Checkpoint expected = sample_checkpoint(8), read = read_checkpoint(*files, found->folder, 1, 2);
  EXPECT_EQ(to_json(read.state), to_json(expected.state));
  EXPECT_EQ(read.state.windows[0].loss, 1.0 / 3.0);
  EXPECT_EQ(read.recipe, expected.recipe);
  EXPECT_EQ(read.weights.metadata, expected.weights.metadata);
  ASSERT_EQ(read.weights.tensors.size(), 2U);
  EXPECT_TRUE(at::equal(read.weights.find("a"), expected.weights.find("a")));
  EXPECT_TRUE(at::equal(read.optimizer.find("momentum/a"), expected.optimizer.find("momentum/a")));
  EXPECT_TRUE(at::equal(read.average.find("a"), expected.average.find("a")));
  ASSERT_EQ(read.ranks.size(), 1U);
  EXPECT_EQ(read.ranks[0].find("mean")[0].item<float>(), 1.0F);
  EXPECT_TRUE(read_checkpoint(*files, found->folder, 1, 3).ranks.empty());  // another number of ranks
}

TEST_F(CheckpointFolder, HoldsNothingAtFirst) {
  EXPECT_FALSE(find_newest_checkpoint(*files, path, log));
}

TEST_F(CheckpointFolder, KeepsTheNewest) {
  for (const int64_t step : {4, 8, 12}) write(step);
  EXPECT_EQ(checkpoint_steps(*files, path), (std::vector<int64_t>{8, 12}));
}

TEST_F(CheckpointFolder, IgnoresWhatIsNoCheckpoint) {
  write(4);
  for (const char* name : {".step-8.tmp", "step-4.old", "step-x", "step-08", "notes"})
    files->make_folders(path + "/" + name);
  EXPECT_EQ(checkpoint_steps(*files, path), (std::vector<int64_t>{4}));
  remove_unfinished_checkpoints(*files, path);
  EXPECT_EQ(files->list(path), (std::vector<std::string>{"notes", "step-08", "step-4", "step-x"}));
}

// One that was to be replaced by another of its step, and whoever did it died between the two renamings.
TEST_F(CheckpointFolder, PutsBackWhatWasNotReplaced) {
  write(4);
  files->rename(at(4), at(4) + ".old");
  EXPECT_FALSE(find_newest_checkpoint(*files, path, log));
  remove_unfinished_checkpoints(*files, path);
  EXPECT_EQ(checkpoint_damage(*files, at(4), 4), "");
}

TEST_F(CheckpointFolder, NoticesOneFlippedByteInAnyFile) {
  write(4);
  write(8);
  ASSERT_EQ(contents(8).size(), 8U);
  for (const auto& name : contents(8)) {
    const std::string file = at(8) + "/" + name, whole = files->read(file);
    for (const size_t position : {size_t{0}, whole.size() / 3, whole.size() / 2, whole.size() - 1}) {
      std::string damaged = whole;
      damaged[position] = static_cast<char>(damaged[position] ^ 0x10);
      cluster::write_file_whole(*files, file, damaged);
      const std::string damage = checkpoint_damage(*files, at(8), 8);
      EXPECT_EQ(damage.compare(0, name.size() + 1, name + ":"), 0)
          << name << " at " << position << ": " << damage;
      const auto found = find_newest_checkpoint(*files, path, log);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->step, 4);
      EXPECT_EQ(found->damaged, (std::vector<int64_t>{8}));
    }
    cluster::write_file_whole(*files, file, whole);
  }
  EXPECT_EQ(find_newest_checkpoint(*files, path, log)->step, 8);
}

TEST_F(CheckpointFolder, NoticesMissingAndShortFiles) {
  write(4);
  for (const auto& name : contents(4)) {
    const std::string file = at(4) + "/" + name, whole = files->read(file);
    files->truncate(file, whole.size() - 1);
    EXPECT_EQ(checkpoint_damage(*files, at(4), 4).compare(0, name.size() + 1, name + ":"), 0) << name;
    files->remove_all(file);
    EXPECT_EQ(checkpoint_damage(*files, at(4), 4), name + ": missing");
    cluster::write_file_whole(*files, file, whole);
  }
  files->rename(at(4), at(5));
  EXPECT_NE(checkpoint_damage(*files, at(5), 5), "");
}

/// A disk on which files below a path cannot be read: no permission, or a bad sector.
class UnreadableFiles : public test::FaultyFileSystem {
 public:
  explicit UnreadableFiles(std::string part) : part_(std::move(part)) {}
  std::string read(const std::string& path) const override {
    if (path.find(part_) != std::string::npos)
      throw EnvironmentError("cannot read: Input/output error", path, "");
    return test::FaultyFileSystem::read(path);
  }

 private:
  std::string part_;
};

TEST_F(CheckpointFolder, TellsWhatCannotBeReadFromWhatDoesNotMatch) {
  write(4);
  write(8);
  for (const char* file : {"step-8/manifest.json", "step-8/weights"}) {
    const UnreadableFiles unreadable(file);
    EXPECT_THROW(checkpoint_damage(unreadable, at(8), 8), EnvironmentError);
    const auto found = find_newest_checkpoint(unreadable, path, log);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->step, 4);
    EXPECT_TRUE(found->damaged.empty()) << "nothing is known of it";
  }
  const UnreadableFiles none("/step-");
  EXPECT_THROW(find_newest_checkpoint(none, path, log), EnvironmentError);
  files->truncate(at(4) + "/state.json", 3);
  EXPECT_THROW(find_newest_checkpoint(UnreadableFiles("step-8"), path, log), EnvironmentError);
}

// A whole checkpoint of a later step belongs to someone; it does not count among those that are kept, either.
TEST_F(CheckpointFolder, LeavesLaterOnesThatAreNotKnownToBeDamaged) {
  for (const int64_t step : {100, 200}) write(step);
  for (const int64_t step : {4, 8, 12}) write(step);
  EXPECT_EQ(checkpoint_steps(*files, path), (std::vector<int64_t>{8, 12, 100, 200}));
  EXPECT_EQ(checkpoint_damage(*files, at(100), 100), "");
}

TEST_F(CheckpointFolder, SaysWhereAllAreDamaged) {
  write(4);
  files->truncate(at(4) + "/weights.safetensors", 10);
  EXPECT_THROW(find_newest_checkpoint(*files, path, log), DataError);
}

TEST_F(CheckpointFolder, DropsDamagedOnesOnceThereIsABetterOne) {
  for (const int64_t step : {4, 8}) write(step);
  files->truncate(at(8) + "/state.json", 10);
  CheckpointWriter writer(*files, path, 2, {8});
  writer.write(sample_checkpoint(6));
  writer.wait();
  EXPECT_EQ(checkpoint_steps(*files, path), (std::vector<int64_t>{4, 6}));
  writer.write(sample_checkpoint(8));
  writer.wait();
  EXPECT_EQ(checkpoint_steps(*files, path), (std::vector<int64_t>{6, 8}));
  EXPECT_EQ(checkpoint_damage(*files, at(8), 8), "");
}

// Whatever operation of the second checkpoint a full disk strikes, one error comes out, and what is read
// afterwards is whole: the first, or the second where that was in place already.
TEST_F(CheckpointFolder, OutlivesAFullDiskAtEveryOperation) {
  for (const auto fault : {test::Fault::no_space, test::Fault::torn}) {
    int struck = 0;
    for (int operation = 1;; ++operation) {
      files->remove_all(path);
      files->make_folders(path);
      write(4);
      test::FaultyFileSystem faulty(files);
      CheckpointWriter writer(faulty, path, 1, {});
      faulty.fail_at(operation, fault);
      writer.write(sample_checkpoint(8));
      std::string problem;
      try {
        writer.wait();
      } catch (const EnvironmentError& error) {
        problem = error.what();
      }
      if (!faulty.has_failed()) {
        EXPECT_EQ(problem, "");
        break;
      }
      ++struck;
      EXPECT_NE(problem, "") << "operation " << operation;
      EXPECT_NO_THROW(writer.wait()) << "the error is told once";
      const auto found = find_newest_checkpoint(*files, path, log);
      ASSERT_TRUE(found) << "operation " << operation;
      EXPECT_TRUE(found->damaged.empty()) << "operation " << operation;
      EXPECT_EQ(found->step, files->exists(at(8)) ? 8 : 4);
    }
    EXPECT_GT(struck, 20);
  }
}

// The same for a process or machine that dies there.
TEST_F(CheckpointFolder, OutlivesADeathAtEveryOperation) {
  for (const auto fault : {test::Fault::killed, test::Fault::power_cut}) {
    for (int operation = 1;; ++operation) {
      files->remove_all(path);
      files->make_folders(path);
      write(4);
      test::FaultyFileSystem faulty(files);
      CheckpointWriter writer(faulty, path, 1, {});
      faulty.fail_at(operation, fault);
      writer.write(sample_checkpoint(8));
      try {
        writer.wait();
      } catch (const Error&) {
        // A file that a dead disk never got cannot be measured.
      }
      if (!faulty.has_failed()) break;
      remove_unfinished_checkpoints(*files, path);
      const auto found = find_newest_checkpoint(*files, path, log);
      ASSERT_TRUE(found) << "operation " << operation;
      EXPECT_TRUE(found->damaged.empty()) << "operation " << operation;
      write(8);
      EXPECT_EQ(find_newest_checkpoint(*files, path, log)->step, 8);
    }
  }
}

TEST_F(CheckpointFolder, TellsAnErrorAtTheNextCall) {
  test::FaultyFileSystem faulty(files);
  CheckpointWriter writer(faulty, path, 2, {});
  faulty.fail_at(5, test::Fault::no_space);
  writer.write(sample_checkpoint(4));
  try {
    writer.write(sample_checkpoint(8));
    FAIL() << "the error was lost";
  } catch (const EnvironmentError& error) {
    EXPECT_NE(std::string(error.what()).find("step 4"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(files->list(path).empty());
}

}  // namespace
}  // namespace smoothlab::trainer
