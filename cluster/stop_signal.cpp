#include "cluster/stop_signal.h"

#include <atomic>
#include <csignal>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

// A signal belongs to the process and its handler takes no argument, so what it writes has to be reachable
// without an object. This is the one mutable variable of the program at namespace scope.
std::atomic<int> asked{static_cast<int>(StopRequest::none)};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not wait for a lock");

constexpr std::array<int, 3> signals = {SIGINT, SIGTERM, SIGUSR2};

extern "C" void note_stop(int number) {
  const StopRequest wanted = number == SIGINT ? StopRequest::finish : StopRequest::requeue;
  int none = static_cast<int>(StopRequest::none);
  if (asked.compare_exchange_strong(none, static_cast<int>(wanted))) return;
  // Whoever asks twice means now. The signal stays blocked until the handler returns, then it ends us.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(number, &standard, nullptr);
  raise(number);
}

}  // namespace

StopSignal::StopSignal() {
  asked = static_cast<int>(StopRequest::none);
  struct sigaction action {};
  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : signals) sigaddset(&action.sa_mask, number);
  for (size_t i = 0; i < signals.size(); ++i)
    if (sigaction(signals[i], &action, &previous_[i]) != 0)
      throw EnvironmentError("cannot handle signal " + std::to_string(signals[i]), "stop signal",
                             "check what starts this process");
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &previous_[i], nullptr);
  asked = static_cast<int>(StopRequest::none);
}

StopRequest StopSignal::requested() const {
  return static_cast<StopRequest>(asked.load());
}

}  // namespace smoothlab::cluster
