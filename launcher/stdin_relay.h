#pragma once

#include <thread>

namespace smoothlab::launcher {

/// Hands our stdin on to a child that is in a process group of its own, and so may not read a terminal. Make
/// it before the fork, name `for_child` its stdin there, call start() in the parent.
class StdinRelay {
 public:
  /// Throws EnvironmentError where there is no pipe to be had.
  StdinRelay();
  ~StdinRelay();
  StdinRelay(const StdinRelay&) = delete;
  StdinRelay& operator=(const StdinRelay&) = delete;

  int for_child() const { return read_end_; }
  void start();
  /// Once the child has ended. Throws DataError where stdin could not be read: the child saw an end.
  void finish();

 private:
  void relay();
  void stop();
  bool wait(int file, short events) const;

  int read_end_ = -1, write_end_ = -1;
  int stop_read_ = -1, stop_write_ = -1;  ///< closing the second wakes the thread
  int error_ = 0;                         ///< of reading, an errno
  std::thread thread_;
};

}  // namespace smoothlab::launcher
