#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace smoothlab::launcher {

struct ChildSetup {
  const sigset_t* signals = nullptr;     ///< blocked in it; null: as here
  int out = -1, err = -1;                ///< its stdout and stderr; −1: ours
  std::vector<std::string> environment;  ///< "NAME=value", in place of what is inherited
  int in = -1;                           ///< its stdin; −1: nothing to read
};

/// Starts a program by its path, in a process group of its own: the terminal's Ctrl-C comes to us alone, who
/// pass it on as a request. It is asked to stop (SIGTERM) when the calling thread ends.
/// A program that cannot be started exits with 127. Throws EnvironmentError where no process can be had.
pid_t start_child(const std::vector<std::string>& command, const ChildSetup& setup);

/// Path of this program.
std::string own_path();

/// "signal 9 (Killed), often for want of memory".
std::string signal_name(int number);

}  // namespace smoothlab::launcher
