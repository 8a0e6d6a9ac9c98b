#include "data/prefetch_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>

namespace smoothlab::data {
namespace {

using std::chrono::milliseconds;

TEST(PrefetchQueue, DeliversInOrderWhateverFinishesFirst) {
  for (const int workers : {0, 1, 2, 5}) {
    PrefetchQueue<int64_t> queue(100, workers, 7, [](int64_t i) {
      if (i % 5 == 0) std::this_thread::sleep_for(milliseconds(1));
      return i * i;
    });
    for (int64_t i = 100; i < 200; ++i) ASSERT_EQ(queue.next(), i * i) << workers;
  }
}

TEST(PrefetchQueue, GoesAheadButNotTooFar) {
  std::atomic<int64_t> made{0};
  PrefetchQueue<int64_t> queue(0, 2, 4, [&](int64_t i) {
    ++made;
    return i;
  });
  const auto settle = [&](int64_t expected) {
    for (int i = 0; i < 2000 && made < expected; ++i) std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(20));
    return made.load();
  };
  EXPECT_EQ(settle(4), 4);
  queue.next();
  EXPECT_EQ(settle(5), 5);
}

TEST(PrefetchQueue, ThrowsInPlace) {
  PrefetchQueue<int64_t> queue(0, 3, 6, [](int64_t i) {
    if (i == 4) throw std::runtime_error("four");
    return i;
  });
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(queue.next(), i);
  EXPECT_THROW(queue.next(), std::runtime_error);
  EXPECT_EQ(queue.next(), 5);
}

TEST(PrefetchQueue, MovesWhatCannotBeCopied) {
  PrefetchQueue<std::unique_ptr<int64_t>> queue(3, 1, 1,
                                                [](int64_t i) { return std::make_unique<int64_t>(i); });
  EXPECT_EQ(*queue.next(), 3);
}

TEST(PrefetchQueue, StopsWithoutMakingTheRest) {
  std::atomic<int64_t> made{0};
  const auto start = std::chrono::steady_clock::now();
  {
    PrefetchQueue<int64_t> queue(0, 4, 1000, [&](int64_t i) {
      std::this_thread::sleep_for(milliseconds(5));
      ++made;
      return i;
    });
    queue.next();
  }
  EXPECT_LT(made, 900);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3000));
}

}  // namespace
}  // namespace smoothlab::data
