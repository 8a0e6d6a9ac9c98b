#include "data/positioned_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {
namespace {

int64_t nanoseconds(const struct stat& facts) {
  return int64_t{facts.st_mtim.tv_sec} * 1000000000 + facts.st_mtim.tv_nsec;
}

}  // namespace

PositionedFile::PositionedFile(const std::string& path, std::string remedy)
    : path_(path), remedy_(std::move(remedy)) {
  require_no_folder(path, remedy_);
  struct stat facts {};
  // Opening a pipe could wait for ever.
  if (stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode))
    throw DataError("no plain file, in which alone bytes can be read in place", path, remedy_);
  file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0 || fstat(file_, &facts) != 0) {
    const int reason = errno;
    if (file_ >= 0) close(file_);
    if (reason == EMFILE || reason == ENFILE)
      throw EnvironmentError("too many open files", path, "raise the limit (ulimit -n)");
    throw DataError(reason == ENOENT ? "no such file" : fmt::format("cannot open: {}", std::strerror(reason)),
                    path, remedy_);
  }
  size_ = facts.st_size;
  modified_ = nanoseconds(facts);
  // Places are far apart: what the kernel would read ahead is not wanted.
  posix_fadvise(file_, 0, 0, POSIX_FADV_RANDOM);
}

PositionedFile::~PositionedFile() {
  if (file_ >= 0) close(file_);
}

PositionedFile::PositionedFile(PositionedFile&& other) noexcept
    : path_(std::move(other.path_)),
      remedy_(std::move(other.remedy_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      modified_(other.modified_) {}

void PositionedFile::read(int64_t offset, void* into, size_t count, const std::string& what) const {
  const auto fail = [&](const std::string& problem, size_t done) {
    throw DataError(problem,
                    fmt::format("{}, offset {}{}{}", path_, offset + static_cast<int64_t>(done),
                                what.empty() ? "" : ", ", what),
                    remedy_);
  };
  char* next = static_cast<char*>(into);
  for (size_t done = 0; done < count;) {
    const ssize_t got = pread(file_, next + done, std::min(count - done, size_t{1} << 30),
                              static_cast<off_t>(offset + static_cast<int64_t>(done)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(fmt::format("cannot read: {}", std::strerror(errno)), done);
    if (got == 0) fail("the file ends too early", done);
    done += static_cast<size_t>(got);
  }
}

bool file_facts(const std::string& path, int64_t& size, int64_t& modified) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return false;
  size = S_ISDIR(facts.st_mode) ? 0 : int64_t{facts.st_size};
  modified = nanoseconds(facts);
  return true;
}

}  // namespace smoothlab::data
