#pragma once

#include <atomic>
#include <thread>

#include "launcher/starter_words.h"

namespace smoothlab::launcher {

/// Takes the place of a child's stderr: passes the ranks' words on to ours as they come, and keeps MPI's.
/// Make it before the fork, name `for_child` its stderr there, call start() in the parent.
class StderrRelay {
 public:
  /// Throws EnvironmentError where there is no pipe to be had.
  StderrRelay();
  ~StderrRelay();
  StderrRelay(const StderrRelay&) = delete;
  StderrRelay& operator=(const StderrRelay&) = delete;

  int for_child() const { return write_end_; }
  void start();
  /// Once the child has ended: all that was written, and passed on. Does not wait for longer than a second
  /// for what the child left behind, which may hold its stderr.
  const StarterWords& finish();

 private:
  void relay();

  int read_end_ = -1, write_end_ = -1;
  std::atomic<bool> ended_{false};
  StarterWords words_;
  std::thread thread_;
};

}  // namespace smoothlab::launcher
