#include "eval/logit_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "cluster/error.h"
#include "shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using test::exact_labels;
using test::exact_logits;
using test::ForeignFile;
using testing::HasSubstr;

constexpr int64_t classes = 1500, rows = 1901;  // 87 rows a chunk

class LogitChunksTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "x.h5";

  void write(const test::Storage& storage = {}) const {
    ForeignFile file(path);
    file.dataset<float>("logits", {rows, classes}, exact_logits(0, rows, classes), storage);
    file.dataset<int64_t>("labels", {rows}, exact_labels(0, rows, classes));
  }

  /// Every chunk once, with the values of its rows.
  void expect_all(const LogitFile& file, int threads) const {
    std::mutex mutex;
    std::set<int64_t> seen;
    std::set<int> workers;
    for_each_chunk(file, threads, [&](int worker, const LogitChunk& chunk) {
      const std::lock_guard lock(mutex);
      workers.insert(worker);
      EXPECT_TRUE(seen.insert(chunk.index).second);
      EXPECT_EQ(chunk.first_row, chunk.index * chunk_rows(file));
      EXPECT_EQ(chunk.classes, classes);
      const auto logits = exact_logits(chunk.first_row, chunk.rows, classes);
      const auto labels = exact_labels(chunk.first_row, chunk.rows, classes);
      EXPECT_TRUE(std::equal(logits.begin(), logits.end(), chunk.logits));
      EXPECT_TRUE(std::equal(labels.begin(), labels.end(), chunk.labels));
    });
    EXPECT_EQ(static_cast<int64_t>(seen.size()), chunk_count(file));
    EXPECT_EQ(seen.size(), 22U);
    EXPECT_LT(*workers.rbegin(), threads);
  }
};

TEST_F(LogitChunksTest, YieldsEveryRowOnce) {
  write();
  const LogitFile file(path);
  EXPECT_TRUE(file.direct());
  for (const int threads : {1, 2, 5, 40}) expect_all(file, threads);
}

TEST_F(LogitChunksTest, YieldsEveryRowOnceThroughHdf5) {
  write({-1, {100, 700}, 1});
  const LogitFile file(path);
  EXPECT_FALSE(file.direct());
  for (const int threads : {1, 3}) expect_all(file, threads);
}

TEST_F(LogitChunksTest, CutsAVirtualFileAsAPlainOne) {
  std::vector<std::string> shards;
  for (int rank = 0; rank < 2; ++rank) {
    shards.push_back(shard_path(path, "aa", rank, 2));
    test::write_shard(shards.back(), {rank == 0 ? 1000 : 901, classes, 0, false, LogitPrecision::float32},
                      rank * 1000, 128);
  }
  publish_logit_file(path, shards);
  expect_all(LogitFile(path), 2);
}

// Without this, a stream on one thread would pass every test of sums that do not depend on threads.
TEST_F(LogitChunksTest, SeveralThreadsConsumeAtOnce) {
  for (const bool direct : {true, false}) {
    write(direct ? test::Storage{} : test::Storage{-1, {100, 700}, 1});
    std::mutex mutex;
    std::condition_variable arrived;
    std::set<std::thread::id> inside;
    for_each_chunk(LogitFile(path), 3, [&](int, const LogitChunk&) {
      std::unique_lock lock(mutex);
      inside.insert(std::this_thread::get_id());
      arrived.notify_all();
      arrived.wait_for(lock, std::chrono::seconds(20), [&] { return inside.size() == 3; });
    });
    EXPECT_EQ(inside.size(), 3U) << (direct ? "direct" : "through HDF5");
  }
}

TEST_F(LogitChunksTest, YieldsAPart) {
  write();
  const LogitFile file(path);
  std::atomic<int64_t> count{0}, last{0};
  for_each_chunk(file, 20, 100, 1, [&](int, const LogitChunk& chunk) {
    ++count;
    last = chunk.first_row + chunk.rows;
  });
  EXPECT_EQ(count, 2);
  EXPECT_EQ(last, rows);
}

TEST_F(LogitChunksTest, StreamsSeveralFilesAtOnce) {
  write({-1, {100, 700}, 1});
  const LogitFile one(path), two(path);
  std::thread other([&] { expect_all(one, 2); });
  expect_all(two, 2);
  other.join();
}

TEST_F(LogitChunksTest, ThrowsWhatAConsumerThrows) {
  for (const bool direct : {true, false}) {
    write(direct ? test::Storage{} : test::Storage{-1, {100, classes}, 1});
    const LogitFile file(path);
    for (const int threads : {1, 3}) {
      const auto consume = [](int, const LogitChunk& chunk) {
        if (chunk.index == 4) throw std::domain_error("four");
      };
      EXPECT_THROW(for_each_chunk(file, threads, consume), std::domain_error);
    }
  }
}

/// What streaming a small file with these values says.
std::string problem_of(const std::string& path, const std::vector<float>& logits,
                       const std::vector<int64_t>& labels) {
  {
    ForeignFile file(path);
    file.dataset<float>("logits", {3, 2}, logits);
    file.dataset<int64_t>("labels", {3}, labels);
  }
  const LogitFile file(path);
  try {
    for_each_chunk(file, 2, [](int, const LogitChunk&) {});
  } catch (const DataError& error) {
    return error.what();
  }
  return "good";
}

TEST_F(LogitChunksTest, NamesRowAndClassOfABadValue) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(problem_of(path, {1, 2, 3, 4, 5, 6}, {0, 1, 1}), "good");
  EXPECT_THAT(problem_of(path, {1, 2, 3, nan, 5, 6}, {0, 1, 1}), HasSubstr("row 1, class 1 is nan"));
  EXPECT_THAT(problem_of(path, {1, 2, 3, 4, -infinity, 6}, {0, 1, 1}),
              testing::AllOf(HasSubstr("row 2, class 0 is -inf"), HasSubstr("store finite logits")));
  EXPECT_THAT(problem_of(path, {1, 2, 3, 4, 5, 6}, {0, 1, 2}), HasSubstr("label 2 of row 2 is not in 0–1"));
  EXPECT_THAT(problem_of(path, {1, 2, 3, 4, 5, 6}, {-1, 1, 1}), HasSubstr("label -1 of row 0"));
}

}  // namespace
}  // namespace smoothlab::eval
