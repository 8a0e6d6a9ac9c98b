#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace smoothlab::eval {

/// As many threads as are wanted; for 0 as many as this process has cores.
int thread_count(int wanted);

/// The first failure of several threads; the others stop at their next piece of work.
class FirstFailure {
 public:
  bool failed() const { return failed_; }
  template <typename Work>
  void guard(const Work& work) {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
    }
  }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

/// Runs work(worker) on `threads` threads, the calling one, worker 0, among them. Work does not throw.
template <typename Work>
void on_threads(int threads, const Work& work) {
  std::vector<std::thread> others;
  for (int worker = 1; worker < threads; ++worker) others.emplace_back(work, worker);
  work(0);
  for (auto& thread : others) thread.join();
}

/// Calls work(worker, index) for every index in [first, last), each once, taken in rising order by whichever
/// of `threads` threads is free. Throws what the first failing call threw.
template <typename Work>
void for_each_index(int64_t first, int64_t last, int threads, const Work& work) {
  FirstFailure failure;
  std::atomic<int64_t> next{first};
  on_threads(threads, [&](int worker) {
    failure.guard([&] {
      for (int64_t index = next++; index < last && !failure.failed(); index = next++) work(worker, index);
    });
  });
  failure.rethrow();
}

}  // namespace smoothlab::eval
