// kill -9 at many points, each time followed by a resumption: what comes out in the end must be bitwise what
// an uninterrupted run gives. The killed process is this test's own executable, started anew as the driver
// below.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "support/process.h"
#include "support/ranks.h"
#include "support/temporary_folder.h"
#include "trainer/choosing_run.h"

namespace smoothlab::trainer {
namespace {

/// A disk that kills this process in the middle of a chosen operation below a chosen path.
class DeadlyFiles : public cluster::FileSystem {
 public:
  DeadlyFiles(std::string part, int operation) : part_(std::move(part)), left_(operation) {}

  std::unique_ptr<cluster::WritableFile> create(const std::string& path) override {
    count(path);
    return std::make_unique<File>(*this, path, disk_->create(path));
  }
  std::unique_ptr<cluster::WritableFile> append(const std::string& path) override {
    return std::make_unique<File>(*this, path, disk_->append(path));
  }
  std::string read(const std::string& path) const override { return disk_->read(path); }
  void rename(const std::string& from, const std::string& to) override {
    count(to);
    disk_->rename(from, to);
    count(to);
  }
  void sync_folder(const std::string& path) override { disk_->sync_folder(path); }
  void make_folders(const std::string& path) override {
    disk_->make_folders(path);
    count(path);
  }
  void remove_all(const std::string& path) override {
    count(path);
    disk_->remove_all(path);
  }
  bool exists(const std::string& path) const override { return disk_->exists(path); }
  uint64_t size(const std::string& path) const override { return disk_->size(path); }
  std::vector<std::string> list(const std::string& path) const override { return disk_->list(path); }
  void truncate(const std::string& path, uint64_t size) override { disk_->truncate(path, size); }
  std::unique_ptr<cluster::FileLock> lock(const std::string& path) override { return disk_->lock(path); }
  bool locked(const std::string& path) const override { return disk_->locked(path); }

 private:
  class File : public cluster::WritableFile {
   public:
    File(DeadlyFiles& files, std::string path, std::unique_ptr<cluster::WritableFile> file)
        : files_(files), path_(std::move(path)), file_(std::move(file)) {}
    void write(const void* bytes, size_t count) override {
      const size_t half = count / 2;
      file_->write(bytes, half);
      files_.count(path_);
      file_->write(static_cast<const char*>(bytes) + half, count - half);
    }
    void sync() override { file_->sync(); }
    void close() override { file_->close(); }

   private:
    DeadlyFiles& files_;
    std::string path_;
    std::unique_ptr<cluster::WritableFile> file_;
  };

  void count(const std::string& path) {
    if (!part_.empty() && path.find(part_) != std::string::npos && --left_ == 0) kill(getpid(), SIGKILL);
  }

  const std::shared_ptr<cluster::FileSystem> disk_ = cluster::local_file_system();
  const std::string part_;
  std::atomic<int> left_;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Recipe driver_recipe(const std::string& kind) {
  if (kind == "choosing mlp") return choosing_recipe("nll");
  if (kind == "choosing resnet") return choosing_resnet_recipe("nll");
  Recipe recipe = kind == "mlp" ? small_recipe() : small_resnet_recipe();
  recipe.train.log_every = 1;
  recipe.checkpoint.every = 2;
  return recipe;
}

struct Death {
  const char* part;  ///< of a path
  int operation;
};

/// Trains once on so many ranks in processes of their own; dies as told. The exit code.
int train_in_processes(int ranks, const std::string& kind, const std::string& folder, const Death& death) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::vector<std::string> command;
  if (ranks > 1) command = {"mpirun", "--oversubscribe", "-n", std::to_string(ranks)};
  for (const char* argument :
       {self.c_str(), "--gtest_filter=ResumeSlowDriver.*", "--gtest_also_run_disabled_tests"})
    command.emplace_back(argument);
  return test::run_process(command, {"DRIVER_FOLDER=" + folder, "DRIVER_KIND=" + kind,
                                     std::string("DRIVER_PART=") + death.part,
                                     "DRIVER_OPERATION=" + std::to_string(death.operation)})
      .exit_code;
}

TEST(ResumeSlowDriver, DISABLED_Trains) {
  cluster::Communicator& ranks = test::ranks();
  // Rank 0 writes, so it is the one that dies in a file operation.
  DeadlyFiles files(ranks.is_root() ? variable("DRIVER_PART") : "",
                    std::atoi(variable("DRIVER_OPERATION").c_str()));
  run_to_end(driver_recipe(variable("DRIVER_KIND")), variable("DRIVER_FOLDER"), true, ranks, files);
}

void expect_exact_resumption(int ranks, const std::string& kind) {
  const test::TemporaryFolder folder;
  const std::string whole = folder / "whole", killed = folder / "killed";
  ASSERT_EQ(train_in_processes(ranks, kind, whole, {"", 0}), 0);
  // In a line of metrics (a step boundary, mid-epoch and mid-window), early and late in the files of a
  // checkpoint, at its renaming, at the removal of an old one.
  const Death deaths[] = {{"metrics.jsonl", 2}, {"/.step-", 3},      {"metrics.jsonl", 4}, {"weights", 2},
                          {"manifest.json", 2}, {"/step-", 1},       {"/step-", 2},        {"optimizer", 3},
                          {"/step-", 3},        {"metrics.jsonl", 3}};
  for (const Death& death : deaths)
    EXPECT_EQ(train_in_processes(ranks, kind, killed, death), 128 + SIGKILL)
        << death.part << " " << death.operation;
  ASSERT_EQ(train_in_processes(ranks, kind, killed, {"", 0}), 0);
  expect_same_runs(whole, killed, driver_recipe(kind).train.steps);
}

/// Dies while checkpoints that may be the best are written, pointed at, superseded and removed.
void expect_same_choice(int ranks, const std::string& kind) {
  const test::TemporaryFolder folder;
  const std::string whole = folder / "whole", killed = folder / "killed";
  ASSERT_EQ(train_in_processes(ranks, kind, whole, {"", 0}), 0);
  const Death deaths[] = {{"metrics.jsonl", 3},    {"/.step-", 3},           {"checkpoints/best", 2},
                          {"checkpoints/best", 4}, {"weights", 2},           {"/step-", 3},
                          {"manifest.json", 2},    {"checkpoints/step-", 4}, {"checkpoints/step-", 5},
                          {"metrics.jsonl", 2},    {"optimizer", 2},         {"metrics.jsonl", 4}};
  int died = 0;
  for (const Death& death : deaths) {
    const int code = train_in_processes(ranks, kind, killed, death);
    EXPECT_TRUE(code == 0 || code == 128 + SIGKILL) << death.part << " " << death.operation;
    died += code == 0 ? 0 : 1;
  }
  EXPECT_GE(died, 8) << "too few to tell";
  ASSERT_EQ(train_in_processes(ranks, kind, killed, {"", 0}), 0);
  expect_same_choices(whole, killed);
}

TEST(ResumeSlow, IsExactOnOneRank) {
  expect_exact_resumption(1, "mlp");
}
TEST(ResumeSlow, IsExactOnTwoRanks) {
  expect_exact_resumption(2, "mlp");
}
TEST(ResumeSlow, IsExactOnThreeRanks) {
  expect_exact_resumption(3, "mlp");
}
TEST(ResumeSlow, IsExactWithRunningStatisticsInBf16) {
  expect_exact_resumption(2, "resnet");
}

TEST(ResumeSlow, ChoosesTheSameCheckpointOnOneRank) {
  expect_same_choice(1, "choosing mlp");
}
TEST(ResumeSlow, ChoosesTheSameCheckpointOnTwoRanks) {
  expect_same_choice(2, "choosing resnet");
}
TEST(ResumeSlow, ChoosesTheSameCheckpointOnThreeRanks) {
  expect_same_choice(3, "choosing mlp");
}

}  // namespace
}  // namespace smoothlab::trainer
