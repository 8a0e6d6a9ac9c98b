#include "data/digested_file.h"

namespace smoothlab::data {

constexpr size_t block_bytes = 1 << 20;

DigestedFile::DigestedFile(cluster::FileSystem& files, const std::string& folder, const std::string& name)
    : name_(name), file_(files.create(folder + "/" + name)), digest_("sha256", name) {}

void DigestedFile::write(const void* bytes, size_t count) {
  buffer_.append(static_cast<const char*>(bytes), count);
  if (buffer_.size() >= block_bytes) flush();
}

void DigestedFile::flush() {
  file_->write(buffer_.data(), buffer_.size());
  digest_.add(buffer_.data(), buffer_.size());
  bytes_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
}

ListedFile DigestedFile::finish() {
  flush();
  file_->sync();
  file_->close();
  return {name_, bytes_, digest_.hexadecimal()};
}

}  // namespace smoothlab::data
