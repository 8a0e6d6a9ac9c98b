#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace smoothlab::data {

/// Makes items first, first + 1, … on worker threads ahead of their use, and hands them out in order whatever
/// order they were finished in. What make(i) throws, next() throws in place of item i.
template <typename Item>
class PrefetchQueue {
 public:
  /// ahead: most items made or being made beyond the one handed out last; at least one a worker.
  /// With no workers, next() makes the item itself. make is called from several threads at once.
  PrefetchQueue(int64_t first, int workers, int ahead, std::function<Item(int64_t)> make)
      : make_(std::move(make)), claimed_(first), delivered_(first), ahead_(std::max({ahead, workers, 1})) {
    try {
      for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  /// Waits for items under way, starts no further.
  ~PrefetchQueue() { stop(); }
  PrefetchQueue(const PrefetchQueue&) = delete;
  PrefetchQueue& operator=(const PrefetchQueue&) = delete;

  Item next() {
    if (threads_.empty()) return make_(delivered_++);
    std::unique_lock<std::mutex> lock(mutex_);
    made_.wait(lock, [this] { return ready_.count(delivered_) > 0; });
    auto node = ready_.extract(delivered_++);
    lock.unlock();
    wanted_.notify_one();
    if (node.mapped().error) std::rethrow_exception(node.mapped().error);
    return std::move(*node.mapped().item);
  }

 private:
  struct Result {
    std::optional<Item> item;
    std::exception_ptr error;
  };

  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wanted_.wait(lock, [this] { return stopping_ || claimed_ < delivered_ + ahead_; });
      if (stopping_) return;
      const int64_t index = claimed_++;
      lock.unlock();
      Result result;
      try {
        result.item = make_(index);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      ready_.emplace(index, std::move(result));
      made_.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wanted_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::function<Item(int64_t)> make_;
  std::mutex mutex_;
  std::condition_variable wanted_, made_;
  std::map<int64_t, Result> ready_;
  int64_t claimed_, delivered_, ahead_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace smoothlab::data
