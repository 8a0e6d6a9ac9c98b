#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "launcher/run_backend.h"

namespace smoothlab::launcher {

struct LocalOptions {
  int jobs = 1;     ///< runs at a time
  int ranks = 1;    ///< of each run
  int threads = 0;  ///< of each rank; 0: OMP_NUM_THREADS, or its share of the cores
};

/// What `threads` comes to where several jobs share the cores; 0: each rank takes what it may. Throws
/// EnvironmentError where OMP_NUM_THREADS is no number.
int threads_of_rank(const LocalOptions& options);

/// A process for each run: `train` of this program. Where there are GPUs, runs that train at the same time
/// take different ones as far as they reach.
class LocalBackend : public RunBackend {
 public:
  LocalBackend(const LocalOptions& options, cluster::FileSystem& files);
  /// Asks what still runs to stop, and waits for it.
  ~LocalBackend() override;

  size_t room() const override { return static_cast<size_t>(options_.jobs) - children_.size(); }
  void start(size_t index, const StudyRun& run) override;
  std::optional<RunEnd> wait(std::chrono::milliseconds patience) override;
  void stop_all() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Child {
    pid_t pid = -1;
    size_t run = 0;
    int slot = 0;
    std::string folder;
  };
  std::vector<std::string> command(const StudyRun& run) const;
  std::vector<std::string> environment(int slot) const;
  int free_slot() const;
  RunEnd end_of(const Child& child, int status) const;

  LocalOptions options_;
  cluster::FileSystem& files_;
  std::vector<Child> children_;
  bool stopping_ = false;
  Clock::time_point asked_;
};

}  // namespace smoothlab::launcher
