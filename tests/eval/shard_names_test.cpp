#include "eval/shard_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "eval/calibration_report.h"
#include "shard_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ShardNames, AreRecognised) {
  const auto shard = shard_name("runs/a/test.best.59e055f0.1-of-12.h5");
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->stem, "test.best");
  EXPECT_EQ(shard->rank, 1);
  EXPECT_EQ(shard->ranks, 12);
  for (const char* other : {"test.h5", "test.1-of-2.h5", ".59e0.1-of-2.h5", "test.xyz.1-of-2.h5",
                            "test.59e0.1-of-.h5", "test.59e0.a-of-2.h5", "test.59e0.1-of-2", "",
                            "test.59e0.99999999999999999999-of-2.h5", "..1-of-2.h5"})
    EXPECT_FALSE(shard_name(other)) << other;
}

class ShardNamesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int rank = 0; rank < 2; ++rank) {
      shards.push_back(shard_path(path, "a1", rank, 2));
      test::write_shard(shards.back(), {20, 4, 0, false, LogitPrecision::float32}, 20 * rank, 8);
    }
    publish_logit_file(path, shards);
  }
  const test::TemporaryFolder folder;
  const std::string path = folder / "test.h5";
  std::vector<std::string> shards;
};

// "calibrate logits/*.h5" used to take shards as evaluations of their own.
TEST_F(ShardNamesTest, ShardsBesideTheirWholeFileAreFound) {
  EXPECT_THAT(shards_among({shards[0], shards[1], path}),
              ElementsAre(Pair(shards[0], path), Pair(shards[1], path)));
  EXPECT_TRUE(shards_among({shards[0], shards[1], folder / "missing.h5"}).empty());
  const std::string stale = shard_path(path, "b2", 0, 2);
  std::filesystem::copy_file(shards[0], stale);
  EXPECT_TRUE(shards_among({path, stale}).empty()) << "the whole file does not refer to it";
}

TEST_F(ShardNamesTest, AShardAloneIsReadWithANote) {
  CalibrationOptions options;
  options.bootstrap = 0;
  const auto part = analyse(LogitFile(shards[1]), options), whole = analyse(LogitFile(path), options);
  EXPECT_TRUE(part.part);
  EXPECT_THAT(part.notes, testing::Contains(HasSubstr("rank 1 of 2 (samples 20-39)")));
  EXPECT_FALSE(whole.part);
}

}  // namespace
}  // namespace smoothlab::eval
