#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cluster/communicator.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// What the watch has said. It outlives the test, as the communicator does.
struct Told {
  void add(const std::string& words) {
    const std::lock_guard<std::mutex> lock(mutex);
    all += words;
  }
  std::string words() {
    const std::lock_guard<std::mutex> lock(mutex);
    return all;
  }
  std::mutex mutex;
  std::string all;
};

// A communicator is watched once, so that one test looks at all of it.
TEST(StallWatchMpi, NamesTheRankThatTheOthersWaitFor) {
  auto& ranks = test::ranks();
  const int last = ranks.size() - 1;
  const auto told = std::make_shared<Told>();
  ranks.watch_for_stalls(milliseconds(1500), [told](const Error& stall) { told->add(stall.what()); });
  // Waits that are long, but not too long, and computation of any length, are nobody's stall.
  for (int i = 0; i < 3; ++i) {
    if (ranks.rank() == last) std::this_thread::sleep_for(milliseconds(500));
    ranks.barrier();
  }
  std::this_thread::sleep_for(milliseconds(1700));
  ranks.barrier();
  EXPECT_EQ(told->words(), "");
  if (ranks.rank() == last) std::this_thread::sleep_for(milliseconds(3000));
  ranks.barrier();
  if (ranks.size() > 1 && ranks.is_root()) {
    EXPECT_THAT(told->words(), HasSubstr("a rank has not joined allreduce "));
    EXPECT_THAT(told->words(), HasSubstr("rank " + std::to_string(last) + " on "));
  } else {
    EXPECT_EQ(told->words(), "");
  }
}

}  // namespace
}  // namespace smoothlab::cluster
