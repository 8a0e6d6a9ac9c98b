#include "data/source_scan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace smoothlab::data {
namespace {

// The disk is waited for, not the processor: more than there are cores.
constexpr size_t most_threads = 16;
constexpr auto between_reports = std::chrono::milliseconds(100);

class PartScan {
 public:
  PartScan(const ImageSource& source, ScanJournal& journal, ScanResult& result)
      : source_(source), journal_(journal), result_(result) {
    result.parts.resize(source.parts.size());
    for (size_t i = 0; i < source.parts.size(); ++i)
      if (!journal.find(source, source.parts[i], result.parts[i])) missing_.push_back(i);
    result.resumed = static_cast<int64_t>(source.parts.size() - missing_.size());
  }

  void run(const std::string& stage, const ScanCallback& progress) {
    const size_t threads = std::min(most_threads, missing_.size());
    running_ = threads;
    Pool pool(*this, threads);
    std::unique_lock<std::mutex> hold(mutex_);
    while (!ended_.wait_for(hold, between_reports, [this] { return running_ == 0; })) {
      if (!progress) continue;
      hold.unlock();
      progress({stage, found_, result_.resumed + done_, static_cast<int64_t>(source_.parts.size())});
      hold.lock();
    }
    hold.unlock();
    pool.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  /// Ends its threads also where one could not be started, or nobody can be told of progress.
  class Pool {
   public:
    Pool(PartScan& scan, size_t threads) : scan_(scan) {
      try {
        for (size_t i = 0; i < threads; ++i) threads_.emplace_back([&scan] { scan.work(); });
      } catch (...) {
        stop();
        throw;
      }
    }
    ~Pool() { stop(); }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    void join() {
      for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
    }

   private:
    void stop() {
      scan_.stopped_ = true;
      join();
    }
    PartScan& scan_;
    std::vector<std::thread> threads_;
  };

  void work() {
    try {
      for (size_t i = next_++; i < missing_.size() && !stopped_; i = next_++) {
        const ImagePart& part = source_.parts[missing_[i]];
        ScannedPart& scanned = result_.parts[missing_[i]];
        scanned = scan_part(source_, part, found_);
        journal_.add(source_, part, scanned);
        ++done_;
      }
    } catch (...) {
      const std::lock_guard<std::mutex> hold(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
    }
    const std::lock_guard<std::mutex> hold(mutex_);
    if (--running_ == 0) ended_.notify_one();
  }

  const ImageSource& source_;
  ScanJournal& journal_;
  ScanResult& result_;
  std::vector<size_t> missing_;
  std::atomic<size_t> next_{0};
  std::atomic<int64_t> found_{0}, done_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t running_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

ScanResult scan_images(const ImageSource& source, const std::string& stage, ScanJournal& journal,
                       const ScanCallback& progress) {
  ScanResult result;
  PartScan(source, journal, result).run(stage, progress);
  return result;
}

}  // namespace smoothlab::data
