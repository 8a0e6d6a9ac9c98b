#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace smoothlab::data {

/// Lines of a text file, one at a time; a name that ends in ".gz" is unpacked on the way. Lines end with LF
/// or CRLF; the last one may lack its end. A byte-order mark at the start is left out. A CR within a line
/// becomes a blank, so that what is written out again has as many lines for every reader.
class TextLines {
 public:
  /// Throws DataError for a file that is missing or cannot be read.
  explicit TextLines(const std::string& path);
  ~TextLines();
  TextLines(TextLines&&) noexcept;

  /// The next line without its end; false after the last. Throws DataError with path and line: a NUL, bytes
  /// that are no UTF-8 (with the offset in the line), a line of more than 1 MiB, a damaged .gz file.
  bool next(std::string& line);
  /// Of the line that next() gave last, from 1.
  int64_t number() const;
  /// Bytes of the file, as it lies on the disk, that have been read so far.
  int64_t bytes_read() const;
  const std::string& path() const;
  /// "path, line 12"
  std::string where() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::data
