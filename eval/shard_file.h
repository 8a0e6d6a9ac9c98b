#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "eval/row_extents.h"

namespace smoothlab::eval {

/// Makes sure that a file of so many bytes has room on the disk, before anything is written to it. Leaves an
/// empty file. Throws EnvironmentError that names path, bytes wanted and bytes free.
void require_space(cluster::FileSystem& files, const std::string& path, int64_t bytes);

/// Whether a ShardFile, or HDF5, of any process has the file open. On a file system without locks: false.
bool is_in_use(const std::string& path);

/// The bytes of a file that another has laid out. Holds a shared lock on it, by which others see that its
/// writer lives; readers may read on. Every call throws EnvironmentError with path and reason.
class ShardFile {
 public:
  explicit ShardFile(const std::string& path);
  ~ShardFile();
  ShardFile(const ShardFile&) = delete;
  ShardFile& operator=(const ShardFile&) = delete;

  /// Takes disk blocks for the whole file, where the file system can.
  void reserve();
  /// Rows [first, first+count) of `row_bytes` each to where they belong.
  void write_rows(const std::vector<RowExtent>& extents, int64_t first, int64_t count, int64_t row_bytes,
                  const void* rows);
  /// Asks the system to start writing to the disk, without waiting for it.
  void start_sync();
  void sync();
  /// Without the lock, for HDF5 wants the file to itself where it writes.
  void unlocked(const std::function<void()>& work);

 private:
  [[noreturn]] void fail(const std::string& doing) const;
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace smoothlab::eval
