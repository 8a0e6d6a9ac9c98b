#pragma once

#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/file_system.h"
#include "cluster/stop_signal.h"
#include "launcher/run_backend.h"
#include "trainer/packed_runs.h"

namespace smoothlab::launcher {

/// Runs side by side on one device, in this process (see trainer::train_pack): what has been started when
/// wait() is called trains together, and only when all of it has ended the next pack begins.
class PackedBackend : public RunBackend {
 public:
  /// size: runs of a pack. `stop` outlives it.
  PackedBackend(size_t size, int threads, cluster::FileSystem& files, const cluster::StopSignal& stop);
  /// Asks what still runs to stop, and waits for it.
  ~PackedBackend() override;

  size_t room() const override;
  void start(size_t index, const StudyRun& run) override;
  std::optional<RunEnd> wait(std::chrono::milliseconds patience) override;
  void stop_all() override;

 private:
  void train();
  bool is_ready() const;

  const size_t size_;
  const int threads_;
  cluster::FileSystem& files_;
  const cluster::StopSignal& stop_;
  std::vector<size_t> indices_;  ///< of the pack that trains or is being put together
  std::vector<trainer::PackedRun> pack_;
  std::thread thread_;
  mutable std::mutex mutex_;  ///< of what follows
  bool ended_ = false;
  std::deque<RunEnd> ends_;
};

}  // namespace smoothlab::launcher
