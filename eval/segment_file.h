#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smoothlab::eval {

/// A text file, one segment a line, in memory. Lines end at '\n' and nowhere else; the last one may lack it.
/// White space at the end of a line is taken off, and with it the carriage return of CRLF. Any other
/// character is kept, NUL and U+FEFF among them.
class SegmentFile {
 public:
  /// The file at `path`; "-" is stdin; a name that ends in ".gz" is unpacked. Pipes will do. Throws DataError
  /// for a file that is missing, unreadable, damaged or empty, and for one that is no UTF-8, with the line.
  explicit SegmentFile(const std::string& path);

  const std::string& name() const { return name_; }  ///< its path, "stdin"
  const std::vector<std::string_view>& segments() const { return segments_; }
  /// The first line with a NUL, from 1; 0 where there is none.
  size_t line_with_nul() const { return line_with_nul_; }

 private:
  std::string name_, text_;
  std::vector<std::string_view> segments_;
  size_t line_with_nul_ = 0;
};

/// Throws DataError that names both files and their numbers of lines where those differ.
void require_same_length(const SegmentFile& hypotheses, const SegmentFile& references);

}  // namespace smoothlab::eval
