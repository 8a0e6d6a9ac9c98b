#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "eval/hdf5_handle.h"

namespace smoothlab::eval {

/// An HDF5 file open for reading, through the library and past it.
class SourceFile {
 public:
  /// Throws DataError.
  explicit SourceFile(const std::string& path);
  ~SourceFile();
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  const std::string& path() const { return path_; }
  hid_t file() const { return file_; }
  /// Reads bytes straight from the file; any number of threads at once. Throws DataError.
  void read(uint64_t offset, int64_t bytes, void* out) const;

 private:
  std::string path_;
  Hdf5Handle file_;
  int descriptor_ = -1;
};

/// The files that a virtual file refers to, each opened once however many datasets refer to it.
class SourceFiles {
 public:
  explicit SourceFiles(const std::string& root);
  std::shared_ptr<SourceFile> root() const { return root_; }
  /// Of the root and of all that were opened.
  std::vector<std::string> paths() const;
  /// The file that `name` means in the virtual file `referrer`, searched as HDF5 does: as it is
  /// where absolute, under $HDF5_VDS_PREFIX, beside the referrer. But never in the current folder, where HDF5
  /// looks too and may find a shard of another file. Throws DataError that names what is missing.
  std::shared_ptr<SourceFile> open(const SourceFile& referrer, const std::string& name);

 private:
  std::shared_ptr<SourceFile> root_;
  std::map<std::string, std::shared_ptr<SourceFile>> files_;
};

}  // namespace smoothlab::eval
