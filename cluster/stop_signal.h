#pragma once

#include <signal.h>

#include <array>
#include <chrono>

namespace smoothlab::cluster {

enum class StopRequest { none, finish, requeue };

/// A SIGINT that comes this soon after the first is the same one, delivered twice.
constexpr std::chrono::nanoseconds duplicate_interval = std::chrono::seconds(1);

/// While one of these lives, SIGINT asks the run to stop (exit 0) and SIGTERM, SIGUSR2 and SIGHUP to stop and
/// be requeued (exit 75), both after a checkpoint at the next step boundary. The first request stands:
/// mpirun, srun and schedulers deliver the same one several times and under several names. Only a second
/// SIGINT, a person's second Ctrl-C, ends the process at once. The handler only sets flags. Signals belong to
/// the process, so at most one of these lives at a time. Afterwards the handlers are as before, but
/// SIGUSR2, by which launchers ask, is ignored, and SIGTERM and SIGHUP once any request was heard.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// What this process was asked; ranks must agree on it before they act (Communicator::agree_max).
  StopRequest requested() const;

 private:
  std::array<struct sigaction, 4> previous_{};
};

}  // namespace smoothlab::cluster
