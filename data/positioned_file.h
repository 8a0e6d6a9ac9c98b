#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace smoothlab::data {

/// A file that is read at any place (pread), by any number of threads at once.
class PositionedFile {
 public:
  /// Throws DataError for a file that is missing, no plain one (a folder, a pipe) or cannot be opened;
  /// `remedy` says what to do.
  explicit PositionedFile(const std::string& path, std::string remedy = "check the path and its permissions");
  ~PositionedFile();
  PositionedFile(PositionedFile&& other) noexcept;
  PositionedFile(const PositionedFile&) = delete;
  PositionedFile& operator=(const PositionedFile&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }          ///< bytes, when it was opened
  int64_t modified() const { return modified_; }  ///< nanoseconds since 1970, when it was opened
  /// Exactly `count` bytes from `offset` on. `what` names in errors what they are of: "member x". Throws
  /// DataError that names file, offset and `what`: the disk fails, or the file has become shorter.
  void read(int64_t offset, void* into, size_t count, const std::string& what = "") const;

 private:
  std::string path_, remedy_;
  int file_ = -1;
  int64_t size_ = 0, modified_ = 0;
};

/// Size (0 of a folder) and time of change, without opening. False where there is nothing of the name.
bool file_facts(const std::string& path, int64_t& size, int64_t& modified);

}  // namespace smoothlab::data
