#include "launcher/stdin_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

void make_pipe(int& read_end, int& write_end) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw EnvironmentError(std::string("cannot make a pipe: ") + std::strerror(errno), "stdin of the ranks",
                           "raise the limit on open files");
  read_end = ends[0];
  write_end = ends[1];
}

void close_open(int& file) {
  if (file >= 0) close(file);
  file = -1;
}

}  // namespace

StdinRelay::StdinRelay() {
  make_pipe(read_end_, write_end_);
  make_pipe(stop_read_, stop_write_);
  // A child that does not read may not hold up the end.
  fcntl(write_end_, F_SETFL, O_NONBLOCK);
}

StdinRelay::~StdinRelay() {
  stop();
  for (int* file : {&read_end_, &write_end_, &stop_read_}) close_open(*file);
}

void StdinRelay::stop() {
  close_open(stop_write_);
  if (thread_.joinable()) thread_.join();
}

void StdinRelay::finish() {
  stop();
  if (error_ != 0)
    throw DataError(std::string("cannot read: ") + std::strerror(error_), "stdin", "name a text file");
}

void StdinRelay::start() {
  close_open(read_end_);
  thread_ = std::thread([this] {
    relay();
    close_open(write_end_);
  });
}

/// False once it is to stop.
bool StdinRelay::wait(int file, short events) const {
  std::array<pollfd, 2> wanted = {pollfd{file, events, 0}, pollfd{stop_read_, POLLIN, 0}};
  for (;;) {
    if (poll(wanted.data(), wanted.size(), -1) < 0 && errno == EINTR) continue;
    return wanted[1].revents == 0;
  }
}

void StdinRelay::relay() {
  std::array<char, 1 << 16> buffer{};
  while (wait(STDIN_FILENO, POLLIN)) {
    const ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) error_ = errno;
    if (n <= 0) return;
    for (ssize_t done = 0; done < n;) {
      if (!wait(write_end_, POLLOUT)) return;
      const ssize_t written = write(write_end_, buffer.data() + done, static_cast<size_t>(n - done));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return;  // nobody reads any more
      if (written > 0) done += written;
    }
  }
}

}  // namespace smoothlab::launcher
