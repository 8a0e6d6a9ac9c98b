#include "eval/logit_shard_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "cluster/error.h"
#include "shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using test::rows_of_split;
using test::some_origin;
using test::write_shard;
using testing::HasSubstr;

class LogitShardWriterTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "shard.h5";
};

TEST_F(LogitShardWriterTest, WritesEveryObjectAndAttribute) {
  write_shard(path, {1000, 300, 20, true, LogitPrecision::float32}, 0, 64, true);
  const LogitFile file(path);
  EXPECT_EQ(file.rows(), 1000);
  EXPECT_EQ(file.classes(), 300);
  EXPECT_EQ(file.penultimate(), 20);
  EXPECT_TRUE(file.complete());
  EXPECT_TRUE(file.direct());
  std::vector<int64_t> positions(3);
  file.read_positions(7, 3, positions.data());
  EXPECT_EQ(positions, (std::vector<int64_t>{2, 3, 4}));
  EXPECT_TRUE(test::holds_split(file));
  EXPECT_EQ(file.attribute("schema"), "1");
  EXPECT_EQ(file.attribute("task"), "cifar10");
  EXPECT_EQ(file.attribute("alpha"), "0.05");
  EXPECT_EQ(file.attribute("step"), "64000");
  EXPECT_EQ(file.attribute("rows"), "1000");
  EXPECT_EQ(file.attribute("recipe"), some_origin().recipe);
  const auto [weight, bias] = file.classifier();
  EXPECT_EQ(weight, test::exact_logits(0, 300, 20));
  EXPECT_EQ(bias, test::exact_logits(0, 1, 300));
}

TEST_F(LogitShardWriterTest, AFileWithoutPositionsSaysSo) {
  write_shard(path, {7, 10, 5, false, LogitPrecision::float32}, 0, 7);
  std::vector<int64_t> positions(7);
  EXPECT_THROW(LogitFile(path).read_positions(0, 7, positions.data()), DataError);
}

TEST_F(LogitShardWriterTest, WritesFloat16) {
  write_shard(path, {777, 10, 5, false, LogitPrecision::float16}, 0, 100);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
  write_shard(folder / "wide.h5", {777, 10, 5, false, LogitPrecision::float32}, 0, 100);
  EXPECT_LT(std::filesystem::file_size(path), std::filesystem::file_size(folder / "wide.h5") * 4 / 5);
}

// Rows wider than a chunk; one class more than fills whole chunks; more rows than flat datasets' chunks.
TEST_F(LogitShardWriterTest, WritesShapesThatDoNotDivide) {
  write_shard(path, {5, 300001, 0, false, LogitPrecision::float32}, 0, 2);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
  write_shard(path, {(1 << 17) + 3, 2, 0, false, LogitPrecision::float32}, 0, 1000);
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
}

TEST_F(LogitShardWriterTest, IsIncompleteUntilClosed) {
  const LogitShape shape{10, 3, 0, false, LogitPrecision::float32};
  {
    LogitShardWriter writer(path, shape, some_origin());
    writer.append(rows_of_split(shape, 0, 4));
    EXPECT_THROW(writer.close(), RunError) << "six rows are missing";
  }
  EXPECT_THROW(LogitFile{path}, DataError);
  const LogitFile file(path, Incomplete::accept);
  std::vector<int64_t> ids(10);
  file.read_sample_ids(0, 10, ids.data());
  EXPECT_EQ(ids, (std::vector<int64_t>{0, 1, 2, 3, -1, -1, -1, -1, -1, -1}));
}

TEST_F(LogitShardWriterTest, RefusesRowsThatDoNotFit) {
  const LogitShape shape{10, 3, 2, false, LogitPrecision::float32};
  LogitShardWriter writer(path, shape, some_origin());
  EXPECT_THROW(writer.append(rows_of_split(shape, 0, 11)), RunError);
  EXPECT_THROW(writer.append(rows_of_split({10, 3, 0, false, LogitPrecision::float32}, 0, 1)), RunError);
  writer.append(rows_of_split(shape, 0, 10));
  EXPECT_THROW(writer.classifier(std::vector<float>(6), std::vector<float>(3)), RunError) << "after a row";
  writer.close();
  EXPECT_TRUE(test::holds_split(LogitFile(path)));
}

/// What writing rows with one bad value says; rows before stay.
std::string problem_of_value(const std::string& path, LogitPrecision precision, float value,
                             bool penultimate) {
  const LogitShape shape{10, 3, 2, false, precision};
  try {
    LogitShardWriter writer(path, shape, some_origin());
    writer.append(rows_of_split(shape, 0, 4));
    LogitRows bad = rows_of_split(shape, 4, 6);
    (penultimate ? bad.penultimate[3] : bad.logits[5]) = value;
    writer.append(std::move(bad));
    writer.close();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), std::isfinite(value) ? ExitCode::usage : ExitCode::failure);
    std::vector<int64_t> ids(10);
    LogitFile(path, Incomplete::accept).read_sample_ids(0, 10, ids.data());
    EXPECT_EQ(ids[3], 3);
    EXPECT_EQ(ids[4], -1);
    return error.what();
  }
  return "written";
}

TEST_F(LogitShardWriterTest, NamesTheSampleOfAValueThatIsNotFinite) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(problem_of_value(path, LogitPrecision::float32, nan, false),
              HasSubstr("logit 2 of sample 5 is nan"));
  EXPECT_THAT(problem_of_value(path, LogitPrecision::float16, -infinity, false),
              HasSubstr("sample 5 is -inf"));
  EXPECT_THAT(problem_of_value(path, LogitPrecision::float32, infinity, true),
              HasSubstr("penultimate activation 1 of sample 5 is inf"));
}

// It used to end as a run that failed, though another option is all that is needed.
TEST_F(LogitShardWriterTest, NamesTheSampleOfAValueBeyondFloat16) {
  EXPECT_THAT(problem_of_value(path, LogitPrecision::float16, 65520.0F, false),
              HasSubstr("too large for float16"));
  EXPECT_EQ(problem_of_value(path, LogitPrecision::float16, 65519.0F, false), "written");
}

TEST_F(LogitShardWriterTest, SaysThatAFolderIsMissing) {
  try {
    LogitShardWriter writer(folder / "none" + "/x.h5", {1, 2, 0, false, LogitPrecision::float32},
                            some_origin());
    FAIL();
  } catch (const EnvironmentError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("No such file"), HasSubstr("/none/x.h5")));
  }
}

/// Runs work in a child process and returns how it ended.
template <typename Work>
int status_of_child(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// A child writes without end of its own and is killed at some moment; what is there must open and every row
// that has a sample id must be whole.
TEST_F(LogitShardWriterTest, SurvivesKill) {
  const LogitShape shape{40000, 257, 33, true, LogitPrecision::float32};
  int64_t most = 0;
  for (const int milliseconds : {5, 15, 40, 80, 400, 2000}) {
    if (milliseconds > 80 && most > 0) break;  // only a machine under load needs the long ones
    std::filesystem::remove(path);
    const pid_t child = fork();
    if (child == 0) {
      LogitShardWriter writer(path, shape, some_origin());
      const LogitRows batch = rows_of_split(shape, 0, 50);
      for (int64_t row = 0; row + 50 < shape.rows; row += 50) {
        LogitRows rows = batch;
        for (auto& id : rows.sample_ids) id += row;
        writer.append(std::move(rows));
        usleep(100);
      }
      pause();
    }
    while (!std::filesystem::exists(path)) usleep(500);
    usleep(static_cast<useconds_t>(milliseconds) * 1000);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    std::unique_ptr<LogitFile> file;
    try {
      file = std::make_unique<LogitFile>(path, Incomplete::accept);
    } catch (const DataError&) {
      continue;  // killed before the shard was laid out: there is no row to lose
    }
    EXPECT_FALSE(file->complete());
    std::vector<int64_t> ids(static_cast<size_t>(shape.rows));
    file->read_sample_ids(0, shape.rows, ids.data());
    std::vector<float> logits(257), activations(33);
    int64_t whole = 0;
    for (; whole < shape.rows && ids[static_cast<size_t>(whole)] >= 0; ++whole) {
      ASSERT_EQ(ids[static_cast<size_t>(whole)], whole);
      file->read_logits(whole, 1, logits.data());
      file->read_penultimate(whole, 1, activations.data());
      ASSERT_EQ(logits, test::exact_logits(whole % 50, 1, 257));
      ASSERT_EQ(activations, test::exact_logits(1000000 + whole % 50, 1, 33));
    }
    for (int64_t row = whole; row < shape.rows; ++row) ASSERT_EQ(ids[static_cast<size_t>(row)], -1);
    most = std::max(most, whole);
  }
  EXPECT_GT(most, 0) << "the child never wrote a row";
  EXPECT_LT(most, shape.rows);
}

/// Exit code of a child that may write so many bytes to a file, before (or after) the shard is made.
int exit_code_when_full(const std::string& path, rlim_t bytes, bool before) {
  const int status = status_of_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    const LogitShape shape{10000, 100, 0, false, LogitPrecision::float32};
    try {
      if (before) setrlimit(RLIMIT_FSIZE, &limit);
      LogitShardWriter writer(path, shape, some_origin());
      setrlimit(RLIMIT_FSIZE, &limit);
      for (int64_t row = 0; row < shape.rows; row += 500) writer.append(rows_of_split(shape, row, 500));
      writer.close();
    } catch (const EnvironmentError& error) {
      const bool named = std::string(error.what()).find(path) != std::string::npos;
      _exit(named ? static_cast<int>(error.code()) : 99);
    } catch (...) {
      _exit(98);
    }
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(LogitShardWriterTest, FindsAFullDiskBeforeTheFirstRow) {
  EXPECT_EQ(exit_code_when_full(path, 1 << 20, true), 4);
  EXPECT_FALSE(std::filesystem::exists(path)) << "nothing half-made is left";
}

TEST_F(LogitShardWriterTest, ReportsADiskThatFailsWhileWriting) {
  EXPECT_EQ(exit_code_when_full(path, 1 << 20, false), 4);
  std::vector<int64_t> ids(10000);
  LogitFile(path, Incomplete::accept).read_sample_ids(0, 10000, ids.data());
  EXPECT_EQ(ids[9999], -1);
}

}  // namespace
}  // namespace smoothlab::eval
