#include "eval/shard_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

/// False where blocks cannot be had; true also where the file system has no such call.
bool allocate(int descriptor, int64_t bytes) {
  if (bytes == 0) return true;
#if defined(__linux__)
  // Not posix_fallocate: where a file system cannot, the C library would write every block instead.
  while (::fallocate(descriptor, 0, 0, bytes) != 0) {
    if (errno == EINTR) continue;
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
  }
#endif
  return true;
}

}  // namespace

void require_space(cluster::FileSystem& files, const std::string& path, int64_t bytes) {
  files.create(path)->close();
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw EnvironmentError(fmt::format("cannot create: {}", std::strerror(errno)), path,
                           "choose a folder that can be written");
  const bool room = allocate(descriptor, bytes);
  const int reason = errno;
  const bool emptied = ::ftruncate(descriptor, 0) == 0;
  struct statvfs disk {};
  const bool known = ::fstatvfs(descriptor, &disk) == 0;
  const auto available = static_cast<int64_t>(disk.f_bavail * disk.f_frsize);
  ::close(descriptor);
  if (room && emptied && (!known || available >= bytes)) return;
  files.remove_all(path);
  throw EnvironmentError(
      fmt::format("no room for {:.1f} MB of logits: {}", static_cast<double>(bytes) / 1e6,
                  room ? fmt::format("{:.1f} MB are free", static_cast<double>(available) / 1e6)
                       : std::strerror(reason)),
      path, "free disk space or raise the quota, keep logits as float16, or leave out the penultimate layer");
}

bool is_in_use(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return errno != ENOENT;
  const bool in_use = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return in_use;
}

ShardFile::ShardFile(const std::string& path) : path_(path) {
  // For reading too, without which NFS has no shared lock.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) fail("open for writing");
  (void)::flock(descriptor_, LOCK_SH | LOCK_NB);
}

ShardFile::~ShardFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ShardFile::reserve() {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail("look at");
  if (!allocate(descriptor_, status.st_size)) fail("reserve space");
}

void ShardFile::write_rows(const std::vector<RowExtent>& extents, int64_t first, int64_t count,
                           int64_t row_bytes, const void* rows) {
  for_each_run(extents, first, count, row_bytes, [&](uint64_t offset, int64_t bytes, int64_t at) {
    const char* from = static_cast<const char*>(rows) + at;
    while (bytes > 0) {
      const ssize_t put = ::pwrite(descriptor_, from, static_cast<size_t>(bytes), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("write");
      from += put;
      offset += static_cast<uint64_t>(put);
      bytes -= put;
    }
  });
}

void ShardFile::start_sync() {
#if defined(__linux__)
  // Only a hint: what fails here fails again in sync().
  (void)::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

void ShardFile::sync() {
  if (::fsync(descriptor_) != 0) fail("sync");
}

void ShardFile::unlocked(const std::function<void()>& work) {
  (void)::flock(descriptor_, LOCK_UN);
  work();
  (void)::flock(descriptor_, LOCK_SH | LOCK_NB);
}

void ShardFile::fail(const std::string& doing) const {
  throw EnvironmentError(fmt::format("cannot {}: {}", doing, std::strerror(errno)), path_,
                         "check free space, quota and permissions of the folder");
}

}  // namespace smoothlab::eval
