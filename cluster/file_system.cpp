#include "cluster/file_system.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

std::string parent_folder(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void remove_quietly(FileSystem& files, const std::string& path) {
  try {
    files.remove_all(path);
  } catch (const Error&) {
    // The caller is about to report why it gave up; that the leftover stays too is not news.
  }
}

}  // namespace

void write_file_whole(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".part";
  try {
    const auto file = files.create(temporary);
    file->write(bytes.data(), bytes.size());
    file->sync();
    file->close();
    files.rename(temporary, path);
  } catch (const Error&) {
    remove_quietly(files, temporary);
    throw;
  }
  files.sync_folder(parent_folder(path));
}

void publish_folder(FileSystem& files, const std::string& temporary, const std::string& path) {
  files.sync_folder(temporary);
  const std::string old = path + ".old";
  const bool replaces = files.exists(path);
  if (replaces) {
    files.remove_all(old);
    files.rename(path, old);
  }
  try {
    files.rename(temporary, path);
  } catch (const Error&) {
    if (replaces) files.rename(old, path);
    throw;
  }
  files.sync_folder(parent_folder(path));
  if (replaces) files.remove_all(old);
}

uint32_t checksum(const void* bytes, size_t count, uint32_t previous) {
  uLong crc = previous;
  const auto* next = static_cast<const Bytef*>(bytes);
  while (count > 0) {  // zlib counts in 32 bits
    const auto block = static_cast<uInt>(std::min<size_t>(count, size_t{1} << 30));
    crc = crc32(crc, next, block);
    next += block;
    count -= block;
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace smoothlab::cluster
