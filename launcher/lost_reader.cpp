#include "launcher/lost_reader.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace smoothlab::launcher {

bool nobody_reads_stdout() {
  pollfd out = {STDOUT_FILENO, 0, 0};
  return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

void end_of_broken_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  raise(SIGPIPE);
  std::_Exit(broken_pipe_code);  // where it is blocked
}

}  // namespace smoothlab::launcher
