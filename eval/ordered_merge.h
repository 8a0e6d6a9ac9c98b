#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace smoothlab::eval {

/// Takes results in any order, from any thread, and hands them on in the order of their index, one at a time:
/// floating-point sums then do not depend on which thread was faster. Objects that were handed on are used
/// again: a result a chunk would be made and thrown away thousands of times.
template <typename Result>
class OrderedMerge {
 public:
  /// One to fill; it may hold what was in it when it was merged.
  std::unique_ptr<Result> fresh() {
    const std::lock_guard lock(mutex_);
    if (used_.empty()) return std::make_unique<Result>();
    auto result = std::move(used_.back());
    used_.pop_back();
    return result;
  }
  template <typename Merge>
  void add(int64_t index, std::unique_ptr<Result> result, const Merge& merge) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(result));
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; ++next_) {
      merge(*it->second);
      used_.push_back(std::move(it->second));
      it = waiting_.erase(it);
    }
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, std::unique_ptr<Result>> waiting_;
  std::vector<std::unique_ptr<Result>> used_;
  int64_t next_ = 0;
};

}  // namespace smoothlab::eval
