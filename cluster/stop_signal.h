#pragma once

#include <signal.h>

#include <array>

namespace smoothlab::cluster {

enum class StopRequest { none, finish, requeue };

/// While one of these lives, SIGINT asks the run to stop (exit 0) and SIGTERM and SIGUSR2 to stop and be
/// requeued (exit 75), both after a checkpoint at the next step boundary. A second signal ends the process
/// at once with the signal's default action. The handler only sets a flag.
/// Signals belong to the process, so at most one of these lives at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// What this process was asked; ranks must agree on it before they act (Communicator::agree_max).
  StopRequest requested() const;

 private:
  std::array<struct sigaction, 3> previous_{};
};

}  // namespace smoothlab::cluster
