#pragma once

#include <cstddef>
#include <string>

namespace smoothlab::data {

/// A file in memory, read only, pages of which come from the disk as they are touched and are shared with
/// other processes.
class MappedFile {
 public:
  /// Throws DataError for a file that is missing, empty or cannot be opened.
  MappedFile(const std::string& path, const std::string& remedy);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace smoothlab::data
