#include "launcher/packed_backend.h"

#include <csignal>

#include "cluster/communicator.h"
#include "cluster/failure.h"
#include "cluster/log.h"
#include "launcher/prepared_run.h"
#include "launcher/run_state.h"

namespace smoothlab::launcher {

PackedBackend::PackedBackend(size_t size, int threads, cluster::FileSystem& files,
                             const cluster::StopSignal& stop)
    : size_(size), threads_(threads), files_(files), stop_(stop) {}

PackedBackend::~PackedBackend() {
  if (!thread_.joinable()) return;
  stop_all();
  thread_.join();
}

size_t PackedBackend::room() const {
  return thread_.joinable() ? 0 : size_ - pack_.size();
}

void PackedBackend::start(size_t index, const StudyRun& run) {
  prepare_run(files_, run);
  files_.remove_all(stderr_path(run.folder));
  trainer::PackedRun packed{run.recipe, {}};
  packed.options.folder = run.folder;
  packed.options.resume = true;
  packed.options.placement.threads = threads_;
  pack_.push_back(std::move(packed));
  indices_.push_back(index);
}

void PackedBackend::train() {
  std::deque<RunEnd> ends;
  try {
    const auto communicator = cluster::make_solo_communicator();
    cluster::Log log(0, /*quiet=*/true);
    const auto outcomes = trainer::train_pack(pack_, *communicator, files_, log, stop_);
    for (size_t i = 0; i < outcomes.size(); ++i) ends.push_back({indices_[i], outcomes[i].failure});
  } catch (const std::exception& failure) {
    ends.clear();
    for (const size_t index : indices_) ends.push_back({index, cluster::as_error(failure)});
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ends_ = std::move(ends);
  ended_ = true;
}

bool PackedBackend::is_ready() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ended_;
}

std::optional<RunEnd> PackedBackend::wait(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) {
    if (pack_.empty()) {
      std::this_thread::sleep_for(patience);
      return std::nullopt;
    }
    ended_ = false;
    thread_ = std::thread([this] { train(); });
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!is_ready()) {
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const RunEnd end = ends_.front();
  ends_.pop_front();
  if (ends_.empty()) {
    thread_.join();
    pack_.clear();
    indices_.clear();
  }
  return end;
}

void PackedBackend::stop_all() {
  // The pack listens as `train` does. Whoever asked us may have done it by a signal already.
  if (stop_.requested() == cluster::StopRequest::none) std::raise(SIGTERM);
}

}  // namespace smoothlab::launcher
