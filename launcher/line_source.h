#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::launcher {

/// How much is read before it is worked on.
struct LineLimits {
  size_t lines = 2000, bytes = size_t{1} << 22;
  /// For how long more is awaited where a line is there but nothing more: whoever types, or waits for an
  /// answer before writing on, gets it after that.
  std::chrono::milliseconds more{20};
  /// After how long what is there is given: from its first line on, whoever goes on writing; and from the
  /// call on, also where there is none; below 0: never.
  std::chrono::milliseconds together{200}, any{-1};
};

/// Lines that came together, without their ends.
struct LineWindow {
  int64_t first = 1;  ///< number of the first line
  std::vector<std::string> lines;
  bool last = false;  ///< nothing comes after them
};

/// Lines of a file or of stdin, as they come. They end with LF or CRLF, the last one may lack its end; a
/// byte-order mark at the start is left out, a CR within a line becomes a blank.
class LineSource {
 public:
  /// path: a file, or "-" for stdin. Throws DataError for a file that cannot be opened.
  explicit LineSource(const std::string& path);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  /// The next lines: as many as are there, up to the limits. None where none came in time. Throws DataError
  /// with name and line for bytes that are no UTF-8 or a NUL (with their place in the line), a line of more
  /// than 1 MiB, and a file that cannot be read; the lines before are given first.
  LineWindow next(const LineLimits& limits);

 private:
  bool wait(std::chrono::steady_clock::duration patience) const;
  void fill();
  bool take_line(LineWindow& window);
  std::string checked(std::string line) const;
  std::string where() const;

  int file_ = -1;
  std::string name_, buffer_;
  size_t used_ = 0, searched_ = 0;
  int64_t number_ = 0;  ///< of the last line that was taken
  bool at_end_ = false;
};

}  // namespace smoothlab::launcher
