#include "data/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {

MappedFile::MappedFile(const std::string& path, const std::string& remedy) {
  if (!is_file(path)) throw DataError("no such file", path, remedy);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts {};
  void* memory = MAP_FAILED;
  if (file >= 0 && fstat(file, &facts) == 0) {
    size_ = static_cast<size_t>(facts.st_size);
    if (size_ > 0) memory = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
  }
  const int reason = errno;
  const bool is_empty = file >= 0 && size_ == 0;
  if (file >= 0) close(file);
  if (is_empty) throw DataError("the file is empty", path + ", offset 0", remedy);
  if (memory == MAP_FAILED)
    throw DataError(fmt::format("cannot open: {}", std::strerror(reason)), path,
                    "check the file's permissions and the disk");
  data_ = static_cast<const char*>(memory);
}

MappedFile::~MappedFile() {
  munmap(const_cast<char*>(data_), size_);
}

}  // namespace smoothlab::data
