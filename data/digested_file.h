#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/file_system.h"
#include "data/digest.h"

namespace smoothlab::data {

/// A file as a manifest lists it.
struct ListedFile {
  std::string name;  ///< within the corpus's folder
  int64_t bytes = 0;
  std::string sha256;
};

/// A file written in pieces of any size, with its digest. Whatever its name says is only worth reading once
/// finish() has returned: write into a folder of its own and rename. Throws EnvironmentError as FileSystem
/// does.
class DigestedFile {
 public:
  DigestedFile(cluster::FileSystem& files, const std::string& folder, const std::string& name);
  void write(const void* bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  int64_t bytes() const { return bytes_ + static_cast<int64_t>(buffer_.size()); }
  /// Syncs and closes.
  ListedFile finish();

 private:
  void flush();

  std::string name_, buffer_;
  std::unique_ptr<cluster::WritableFile> file_;
  Digest digest_;
  int64_t bytes_ = 0;
};

}  // namespace smoothlab::data
