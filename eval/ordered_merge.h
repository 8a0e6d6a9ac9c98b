#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace smoothlab::eval {

/// Takes results in any order, from any thread, and hands them on in the order of their index, one at a time:
/// floating-point sums then do not depend on which thread was faster.
template <typename Result>
class OrderedMerge {
 public:
  explicit OrderedMerge(int64_t first = 0) : next_(first) {}
  template <typename Merge>
  void add(int64_t index, Result result, const Merge& merge) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(result));
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; ++next_) {
      merge(it->second);
      it = waiting_.erase(it);
    }
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, Result> waiting_;
  int64_t next_;
};

}  // namespace smoothlab::eval
