#include "launcher/stderr_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

constexpr int poll_ms = 50;
constexpr std::chrono::seconds patience{1};

/// A terminal that is gone is no reason to stop reading: the child would stand still.
void write_all(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) done += static_cast<size_t>(n);
  }
}

}  // namespace

StderrRelay::StderrRelay() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw EnvironmentError(std::string("cannot make a pipe: ") + std::strerror(errno), "stderr of the ranks",
                           "raise the limit on open files");
  read_end_ = ends[0];
  write_end_ = ends[1];
}

StderrRelay::~StderrRelay() {
  finish();
  if (write_end_ >= 0) close(write_end_);
  close(read_end_);
}

void StderrRelay::start() {
  close(write_end_);
  write_end_ = -1;
  thread_ = std::thread([this] { relay(); });
}

const StarterWords& StderrRelay::finish() {
  ended_ = true;
  if (thread_.joinable()) thread_.join();
  return words_;
}

void StderrRelay::relay() {
  using Clock = std::chrono::steady_clock;
  std::array<char, 4096> buffer{};
  Clock::time_point last_call = Clock::time_point::max();
  while (Clock::now() < last_call) {
    if (ended_ && last_call == Clock::time_point::max()) last_call = Clock::now() + patience;
    pollfd wanted = {read_end_, POLLIN, 0};
    if (poll(&wanted, 1, poll_ms) <= 0) continue;
    const ssize_t n = read(read_end_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    write_all(words_.of_ranks({buffer.data(), static_cast<size_t>(n)}));
  }
  write_all(words_.rest());
}

}  // namespace smoothlab::launcher
