#include "cluster/stop_signal.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

// A signal belongs to the process and its handler takes no argument, so what it writes has to be reachable
// without an object. These are the mutable variables of the program at namespace scope.
std::atomic<int> asked{static_cast<int>(StopRequest::none)};
std::atomic<int64_t> first_interrupt{0};  ///< when, in ns of the monotonic clock; 0: not yet
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free,
              "the handler may not wait for a lock");

constexpr std::array<int, 4> signals = {SIGINT, SIGTERM, SIGUSR2, SIGHUP};

int64_t monotonic_nanoseconds() {
  struct timespec now {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

extern "C" void note_stop(int number) {
  const StopRequest wanted = number == SIGINT ? StopRequest::finish : StopRequest::requeue;
  int none = static_cast<int>(StopRequest::none);
  asked.compare_exchange_strong(none, static_cast<int>(wanted));
  // Schedulers and launchers deliver one request through several ways, so that only a person's second Ctrl-C
  // means more than the first.
  if (number != SIGINT) return;
  const int64_t now = monotonic_nanoseconds();
  int64_t first = 0;
  if (first_interrupt.compare_exchange_strong(first, now)) return;
  if (now - first < duplicate_interval.count()) return;
  // The signal stays blocked until the handler returns, then it ends us.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(number, &standard, nullptr);
  raise(number);
}

}  // namespace

StopSignal::StopSignal() {
  asked = static_cast<int>(StopRequest::none);
  first_interrupt = 0;
  struct sigaction action {};
  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : signals) sigaddset(&action.sa_mask, number);
  for (size_t i = 0; i < signals.size(); ++i) {
    // nohup lets go of the terminal: what it has ignored stays so.
    if (signals[i] == SIGHUP && sigaction(SIGHUP, nullptr, &previous_[i]) == 0 &&
        previous_[i].sa_handler == SIG_IGN)
      continue;
    if (sigaction(signals[i], &action, &previous_[i]) != 0)
      throw EnvironmentError("cannot handle signal " + std::to_string(signals[i]), "stop signal",
                             "check what starts this process");
  }
}

StopSignal::~StopSignal() {
  // A request may be told, or told again, while the process is on its way out, which it must not die of.
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  const bool told = requested() != StopRequest::none;
  for (size_t i = 0; i < signals.size(); ++i)
    sigaction(signals[i], (told && signals[i] != SIGINT) || signals[i] == SIGUSR2 ? &ignored : &previous_[i],
              nullptr);
  asked = static_cast<int>(StopRequest::none);
}

StopRequest StopSignal::requested() const {
  return static_cast<StopRequest>(asked.load());
}

}  // namespace smoothlab::cluster
