#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cluster/communicator.h"
#include "cluster/error.h"
#include "support/process.h"

namespace smoothlab::cluster {
namespace {

// One failure ends the job: each test starts this executable again under mpirun, on one of the disabled tests
// below, in which rank 1 fails while the others wait for it in a collective.

struct JobEnd {
  int exit_code;
  double seconds;
  std::string err;
};

JobEnd run_job(const std::string& failure) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto start = std::chrono::steady_clock::now();
  const auto result = test::run_process({"timeout", "60", "mpirun", "--oversubscribe", "-n", "3", self,
                                         "--gtest_also_run_disabled_tests",
                                         "--gtest_filter=RankFailureSlowJob.DISABLED_" + failure});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {result.exit_code, took.count(), result.err};
}

TEST(RankFailureSlow, AKilledRankEndsTheJob) {
  const JobEnd end = run_job("Killed");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(end.exit_code, 77) << "rank 1 was waited for in vain";
  EXPECT_LT(end.seconds, 30);
}

TEST(RankFailureSlow, AbortEndsTheJobWithItsCode) {
  const JobEnd end = run_job("Aborts");
  EXPECT_EQ(end.exit_code, 4);
  EXPECT_LT(end.seconds, 30);
  EXPECT_THAT(end.err, testing::HasSubstr("error: no space (checkpoint); free some"));
}

TEST(RankFailureSlow, ACommunicatorThatIsUnwoundDoesNotWaitForPeers) {
  const JobEnd end = run_job("Unwinds");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_LT(end.seconds, 30);
}

TEST(RankFailureSlow, AJobWithoutFailureEndsWell) {
  EXPECT_EQ(run_job("None").exit_code, 0);
}

void wait_for_peers(Communicator& communicator) {
  at::Tensor tensor = at::ones({3 << 20}, at::kFloat);
  for (int i = 0; i < 1000; ++i) communicator.allreduce(tensor, Reduction::max);
  std::_Exit(77);
}

TEST(RankFailureSlowJob, DISABLED_Killed) {
  const auto communicator = make_communicator();
  if (communicator->rank() == 1) std::raise(SIGKILL);
  wait_for_peers(*communicator);
}

TEST(RankFailureSlowJob, DISABLED_Aborts) {
  // As the program's entry does it: the communicator outlives the exception.
  const auto communicator = make_communicator();
  try {
    if (communicator->rank() == 1) throw EnvironmentError("no space", "checkpoint", "free some");
    wait_for_peers(*communicator);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    communicator->abort(static_cast<int>(error.code()));
  }
}

TEST(RankFailureSlowJob, DISABLED_Unwinds) {
  try {
    const auto communicator = make_communicator();
    at::Tensor tensor = at::ones({1 << 20}, at::kFloat);
    const auto pending = communicator->allreduce_async(tensor, Reduction::sum);
    if (communicator->rank() == 1) {
      const auto unmatched = communicator->allreduce_async(at::ones({5}), Reduction::sum);
      const auto other = communicator->allreduce_async(at::ones({1 << 22}), Reduction::sum);
      throw DataError("bad", "file", "fetch it");
    }
    std::this_thread::sleep_for(std::chrono::seconds(20));
    std::_Exit(77);
  } catch (const DataError& error) {
    std::_Exit(static_cast<int>(error.code()));
  }
}

TEST(RankFailureSlowJob, DISABLED_None) {
  const auto communicator = make_communicator();
  EXPECT_TRUE(communicator->agree_all(true));
}

}  // namespace
}  // namespace smoothlab::cluster
