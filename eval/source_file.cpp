#include "eval/source_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cluster/error.h"

namespace smoothlab::eval {

SourceFile::SourceFile(const std::string& path) : path_(path), file_(open_hdf5(path)) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path, "check its permissions");
}

SourceFile::~SourceFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SourceFile::read(uint64_t offset, int64_t bytes, void* out) const {
  auto* target = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, target, static_cast<size_t>(bytes), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw DataError(
          got < 0 ? fmt::format("cannot read: {}", std::strerror(errno)) : "the file is cut short",
          fmt::format("{} (offset {})", path_, offset), "copy or write it again");
    target += got;
    offset += static_cast<uint64_t>(got);
    bytes -= got;
  }
}

SourceFiles::SourceFiles(const std::string& root) : root_(std::make_shared<SourceFile>(root)) {}

std::vector<std::string> SourceFiles::paths() const {
  std::vector<std::string> paths{root_->path()};
  for (const auto& [name, file] : files_) paths.push_back(file->path());
  return paths;
}

std::shared_ptr<SourceFile> SourceFiles::open(const SourceFile& referrer, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(referrer.path()).parent_path();
  const fs::path wanted(name);
  const fs::path relative = wanted.is_absolute() ? wanted.filename() : wanted;
  std::vector<fs::path> candidates;
  if (wanted.is_absolute()) candidates.push_back(wanted);
  if (const char* prefix = std::getenv("HDF5_VDS_PREFIX")) candidates.push_back(fs::path(prefix) / relative);
  candidates.push_back(folder / relative);
  for (const auto& candidate : candidates) {
    std::error_code code;
    if (!fs::exists(candidate, code)) continue;
    auto& entry = files_[candidate.lexically_normal().string()];
    if (!entry) entry = std::make_shared<SourceFile>(candidate.string());
    return entry;
  }
  throw DataError(fmt::format("the virtual file refers to {}, which is missing", name), referrer.path(),
                  fmt::format("bring {} back beside it; move a virtual file together with its shards",
                              relative.string()));
}

}  // namespace smoothlab::eval
