#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smoothlab::cluster {

/// A file being written. Nothing is promised before sync().
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void write(const void* bytes, size_t count) = 0;
  virtual void sync() = 0;
  virtual void close() = 0;
};

/// Held until it is destroyed or its process ends, however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// The seam between the program and the disk; tests put one here that fails, fills up or stops midway.
/// Every call throws EnvironmentError with path and reason (DataError where an input file is missing).
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<WritableFile> create(const std::string& path) = 0;
  /// Appends to a file, which is made where missing.
  virtual std::unique_ptr<WritableFile> append(const std::string& path) = 0;
  virtual std::string read(const std::string& path) const = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void sync_folder(const std::string& path) = 0;
  virtual void make_folders(const std::string& path) = 0;
  /// Removes a file or a folder with all in it; a missing one is no error.
  virtual void remove_all(const std::string& path) = 0;
  virtual bool exists(const std::string& path) const = 0;
  virtual uint64_t size(const std::string& path) const = 0;
  /// Names in a folder, sorted; empty for a missing one.
  virtual std::vector<std::string> list(const std::string& path) const = 0;
  virtual void truncate(const std::string& path, uint64_t size) = 0;
  /// Locks a file for one holder at a time, on any machine that shares the disk; the file is made where
  /// missing, says who holds it, and stays. Throws EnvironmentError that names the holder where there is one.
  /// On a disk that knows no locks it protects nothing.
  virtual std::unique_ptr<FileLock> lock(const std::string& path) = 0;
  /// Whether somebody holds the lock of this file now, this process too; a missing file has no holder.
  virtual bool locked(const std::string& path) const = 0;
};

/// The machine's own disk.
std::shared_ptr<FileSystem> local_file_system();

/// Writes a file whole or not at all: beside it (path + ".part"), fsync, rename, fsync of the folder. Where
/// any of it fails the file holds the old bytes or the new ones, never a mixture: the new ones where only the
/// last step fails, and then a power cut may still bring back the old. One writer per path.
void write_file_whole(FileSystem& files, const std::string& path, std::string_view bytes);

/// Renames a finished folder into place whole: every file in it is already synced by its writer. A folder
/// that has this name already is replaced; until the new one stands there, it is kept as path + ".old".
void publish_folder(FileSystem& files, const std::string& temporary, const std::string& path);

/// CRC-32 (as zlib computes it) of bytes; `previous` chains blocks.
uint32_t checksum(const void* bytes, size_t count, uint32_t previous = 0);

}  // namespace smoothlab::cluster
