#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace smoothlab::data {

/// Where pairs of sentences come from: two files with a sentence a line, or one with a pair a line, its
/// columns separated by tabs.
struct TextFiles {
  std::string source, target;
  std::string pairs;                             ///< instead of the two
  int64_t source_column = 1, target_column = 2;  ///< of `pairs`, from 1; further columns are ignored
  /// The only file, or the first of the two.
  const std::string& first() const { return pairs.empty() ? source : pairs; }
};

struct TextPair {
  std::string source, target;  ///< without blanks at either end
  int64_t line = 0;            ///< from 1
};

/// Pairs of sentences, one at a time (see TextLines for how lines are read).
class ParallelText {
 public:
  /// Throws DataError for a file that is missing or cannot be read.
  explicit ParallelText(const TextFiles& files);
  ~ParallelText();
  ParallelText(ParallelText&&) noexcept;

  /// False after the last. Throws DataError with file and line: two files of unequal lengths (with both), a
  /// line without the tab or the columns that were asked for, and whatever TextLines throws.
  bool next(TextPair& pair);
  /// Bytes read so far, and of all the files, as they lie on the disk.
  int64_t bytes_read() const;
  int64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::data
