#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace smoothlab::trainer {

/// How long a run trains: in all sittings, in this one, and in its window, the steps since the last line of
/// metrics. What is looked at in between is left out.
class RunClock {
 public:
  using Clock = std::chrono::steady_clock;

  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  void set_earlier(double seconds) { earlier_ = seconds; }
  /// A sitting begins after `step` steps; so does a window.
  void begin(int64_t step) {
    started_ = Clock::now();
    left_out_ = 0;
    first_ = step;
    begin_window(step);
  }
  void begin_window(int64_t step) {
    window_started_ = Clock::now();
    window_first_ = step;
    launching_ = 0;
  }
  /// What began at `start` has ended and was no training.
  void leave_out_since(Clock::time_point start) {
    const Clock::duration passed = Clock::now() - start;
    left_out_ += std::chrono::duration<double>(passed).count();
    window_started_ += passed;
  }
  /// The host spent so many seconds in a step, not waiting for batches.
  void add_launching(double seconds) { launching_ += seconds; }

  /// Of all sittings.
  double seconds() const { return earlier_ + seconds_since(started_) - left_out_; }
  /// Steps a second of this sitting.
  double rate(int64_t step) const {
    return static_cast<double>(step - first_) / std::max(1e-9, seconds_since(started_) - left_out_);
  }
  int64_t window_steps(int64_t step) const { return step - window_first_; }
  double window_seconds() const { return std::max(1e-9, seconds_since(window_started_)); }
  /// Of the window.
  double launching() const { return launching_; }

 private:
  Clock::time_point started_, window_started_;
  int64_t first_ = 0, window_first_ = 0;
  double earlier_ = 0, left_out_ = 0, launching_ = 0;
};

}  // namespace smoothlab::trainer
