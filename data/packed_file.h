#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace smoothlab::data {

/// The bytes of a file, unpacked where it begins as gzip files do: all members, one after the other. Zeros
/// after the last one, as tapes pad with, are left out; anything else there is an error, where zlib's own
/// gzread ends as if the file did.
class PackedFile {
 public:
  /// `remedy` says what to do about a damaged one. Throws DataError for a file that cannot be opened.
  explicit PackedFile(const std::string& path, std::string remedy = "bring the file anew");
  ~PackedFile();
  PackedFile(PackedFile&&) noexcept;

  /// 1 … `most` bytes; 0 at the end. Throws DataError with path and offset: unreadable, damaged or
  /// truncated.
  size_t read(void* into, size_t most);
  /// Whether it is a gzip file.
  bool packed() const;
  /// Bytes of the file, as it lies on the disk, that have been used so far.
  int64_t offset() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether the name is a gzip file's: it ends in ".gz".
bool has_packed_name(const std::string& path);

}  // namespace smoothlab::data
