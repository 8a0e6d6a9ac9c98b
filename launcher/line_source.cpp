#include "launcher/line_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "cluster/error.h"
#include "data/file_bytes.h"
#include "data/utf8.h"

namespace smoothlab::launcher {
namespace {

constexpr size_t block_bytes = size_t{1} << 16;
constexpr size_t longest_line = size_t{1} << 20;

using Clock = std::chrono::steady_clock;

/// How long one window may wait, however its bytes trickle in.
class Patience {
 public:
  explicit Patience(const LineLimits& limits)
      : limits_(limits),
        end_(limits.any.count() < 0 ? Clock::time_point::max() : Clock::now() + limits.any) {}
  void line_is_there() {
    if (any_line_) return;
    any_line_ = true;
    end_ = std::min(end_, Clock::now() + limits_.together);
  }
  bool over() const { return Clock::now() >= end_; }
  /// For the next bytes.
  Clock::duration left() const {
    if (end_ == Clock::time_point::max()) return Clock::duration::max();
    const Clock::duration all = std::max(Clock::duration::zero(), end_ - Clock::now());
    return any_line_ ? std::min<Clock::duration>(all, limits_.more) : all;
  }

 private:
  const LineLimits& limits_;
  bool any_line_ = false;
  Clock::time_point end_;
};

}  // namespace

LineSource::LineSource(const std::string& path) : name_(path == "-" ? "stdin" : path) {
  if (path != "-") data::require_no_folder(path, "name a text file, or - for stdin");
  file_ = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "name a text file, or - for stdin");
}

LineSource::~LineSource() {
  if (file_ != STDIN_FILENO) close(file_);
}

std::string LineSource::where() const {
  return fmt::format("{}, line {}", name_, number_ + 1);
}

/// Whether there is something to read, or an end.
bool LineSource::wait(Clock::duration patience) const {
  const bool for_ever = patience == Clock::duration::max();
  const auto end = for_ever ? Clock::time_point::max() : Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wanted = {file_, POLLIN, 0};
    const int ready =
        poll(&wanted, 1, for_ever ? -1 : static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX)));
    if (ready >= 0 || errno != EINTR) return ready != 0;  // what else fails, read() tells
  }
}

void LineSource::fill() {
  buffer_.erase(0, used_);
  searched_ -= used_;
  used_ = 0;
  const size_t before = buffer_.size();
  buffer_.resize(before + block_bytes);
  ssize_t n = 0;
  do {
    n = read(file_, buffer_.data() + before, block_bytes);
  } while (n < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(before + static_cast<size_t>(std::max<ssize_t>(0, n)));
  if (n < 0)
    throw DataError(fmt::format("cannot read: {}", std::strerror(error)), where(), "name a text file");
  at_end_ = n == 0;
}

std::string LineSource::checked(std::string line) const {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (number_ == 0 && line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);
  if (const size_t at = line.find('\0'); at != std::string::npos)
    throw DataError(fmt::format("a NUL at byte {} of the line", at + 1), where(),
                    "this is no text; give it in UTF-8");
  if (const size_t at = data::utf8_break(line); at != std::string::npos)
    throw DataError(fmt::format("byte {} of the line (0x{:02x}) is no UTF-8", at + 1,
                                static_cast<unsigned char>(line[at])),
                    where(), "convert the text to UTF-8 (iconv)");
  std::replace(line.begin(), line.end(), '\r', ' ');
  return line;
}

/// False where there is no whole line, or one that the lines before have to go ahead of.
bool LineSource::take_line(LineWindow& window) {
  const size_t end = buffer_.find('\n', searched_);
  const bool whole = end != std::string::npos;
  searched_ = whole ? end : buffer_.size();
  const size_t count = searched_ - used_;
  if (!whole && count <= longest_line && (!at_end_ || count == 0)) return false;
  try {
    if (count > longest_line)
      throw DataError("a line of more than 1 MiB", where(), "give text with a sentence a line");
    window.lines.push_back(checked(buffer_.substr(used_, count)));
  } catch (const DataError&) {
    if (window.lines.empty()) throw;
    searched_ = used_;
    return false;
  }
  used_ = searched_ = searched_ + (whole ? 1 : 0);
  ++number_;
  return true;
}

LineWindow LineSource::next(const LineLimits& limits) {
  LineWindow window;
  window.first = number_ + 1;
  size_t bytes = 0;
  Patience patience(limits);
  for (bool looked = false;; looked = true) {
    while (window.lines.size() < limits.lines && bytes < limits.bytes && take_line(window))
      bytes += window.lines.back().size() + 1;
    const bool full = window.lines.size() >= limits.lines || bytes >= limits.bytes;
    window.last = at_end_ && used_ == buffer_.size();
    // A whole line that was not taken is a bad one.
    const bool held_back =
        buffer_.find('\n', used_) != std::string::npos || buffer_.size() - used_ > longest_line;
    if (full || window.last || at_end_ || (held_back && !window.lines.empty())) return window;
    if (!window.lines.empty()) patience.line_is_there();
    // What has come already is taken whatever the patience: the next call would not come further.
    if ((looked && patience.over()) || !wait(patience.left())) return window;
    fill();
  }
}

}  // namespace smoothlab::launcher
