#include "cluster/stall_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace smoothlab::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Heartbeat computing(int64_t started, const char* host = "node7") {
  Heartbeat heartbeat;
  heartbeat.started = started;
  std::strncpy(heartbeat.host, host, sizeof heartbeat.host - 1);
  return heartbeat;
}

Heartbeat waiting(int64_t started, int64_t collective, milliseconds time) {
  Heartbeat heartbeat = computing(started);
  heartbeat.waiting_ms = time.count();
  heartbeat.waiting_for = collective;
  heartbeat.bytes = 4000000;
  std::strncpy(heartbeat.operation, "allreduce", sizeof heartbeat.operation - 1);
  return heartbeat;
}

class StallJudgeTest : public testing::Test {
 protected:
  const StallJudge::Clock::time_point start{};
  StallJudge judge{3, seconds(600), seconds(10), start};
};

TEST_F(StallJudgeTest, IsSilentWhileNobodyWaitsTooLong) {
  EXPECT_FALSE(judge.verdict(start));
  judge.hear(0, waiting(9, 9, seconds(600)), start + seconds(600));
  judge.hear(1, computing(8), start + seconds(600));
  judge.hear(2, computing(8), start + seconds(600));
  EXPECT_FALSE(judge.verdict(start + seconds(600)));
}

TEST_F(StallJudgeTest, NamesWhoHasNotJoined) {
  const auto now = start + seconds(610);
  judge.hear(0, waiting(9, 9, seconds(601)), now);
  judge.hear(1, computing(8, "node8"), now);
  judge.hear(2, waiting(9, 9, seconds(300)), now);
  const auto verdict = judge.verdict(now);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->problem,
            "a rank has not joined allreduce 9 (4.0 MB), in which others have waited 601 s");
  EXPECT_EQ(verdict->where, "rank 1 on node8");
}

TEST_F(StallJudgeTest, NamesWhoFellSilent) {
  const auto now = start + seconds(610);
  judge.hear(2, waiting(9, 9, seconds(1)), start + seconds(10));  // stopped in the same collective
  judge.hear(0, waiting(9, 9, seconds(601)), now);
  judge.hear(1, waiting(9, 9, seconds(601)), now);
  const auto verdict = judge.verdict(now);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->problem, HasSubstr("a rank has fallen silent during allreduce 9"));
  EXPECT_EQ(verdict->where, "rank 2 on node7");
}

TEST_F(StallJudgeTest, BlamesTheNetworkWhereAllRanksWait) {
  const auto now = start + seconds(610);
  for (int rank = 0; rank < 3; ++rank) judge.hear(rank, waiting(9, 9, seconds(601)), now);
  const auto verdict = judge.verdict(now);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->problem, HasSubstr("allreduce 9 (4.0 MB) makes no progress"));
  EXPECT_THAT(verdict->where, HasSubstr("network"));
}

// A rank that stopped within the collective is not heard of for a while before it counts as silent.
TEST_F(StallJudgeTest, BlamesNobodyWhileARankIsLate) {
  judge.hear(2, waiting(9, 9, seconds(550)), start + seconds(550));
  judge.hear(0, waiting(9, 9, seconds(601)), start + seconds(601));
  judge.hear(1, waiting(9, 9, seconds(601)), start + seconds(601));
  EXPECT_FALSE(judge.verdict(start + seconds(601)));
  judge.hear(0, waiting(9, 9, seconds(640)), start + seconds(640));
  judge.hear(1, waiting(9, 9, seconds(640)), start + seconds(640));
  const auto verdict = judge.verdict(start + seconds(640));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->where, "rank 2 on node7");
}

TEST_F(StallJudgeTest, ListsSomeOfManyRanks) {
  StallJudge large(40, seconds(1), milliseconds(50), start);
  for (int rank = 0; rank < 40; ++rank) large.hear(rank, computing(3), start);
  large.hear(0, waiting(4, 4, seconds(2)), start);
  const auto verdict = large.verdict(start);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->problem, HasSubstr("39 ranks have not joined"));
  EXPECT_THAT(verdict->where, HasSubstr("rank 8 on node7 and 31 more"));
}

}  // namespace
}  // namespace smoothlab::cluster
