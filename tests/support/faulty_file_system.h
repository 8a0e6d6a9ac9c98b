#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/file_system.h"

namespace smoothlab::test {

enum class Fault {
  no_space,   ///< the operation does nothing and throws EnvironmentError, as on a full disk
  torn,       ///< the same, but half of what was to be written has been written
  killed,     ///< half of a write is done, and from then on nothing more reaches the disk, silently
  power_cut,  ///< as killed, and files lose what was not synced
};

/// A file system that goes wrong at one chosen operation. Operations that change the disk are counted:
/// create, append, write, sync, close, rename, sync_folder, make_folders, remove_all, truncate. Thread-safe.
class FaultyFileSystem : public cluster::FileSystem {
 public:
  explicit FaultyFileSystem(std::shared_ptr<cluster::FileSystem> disk = cluster::local_file_system());

  /// The n-th operation from now on, n ≥ 1, goes wrong. Later ones are fine again (no_space, torn).
  void fail_at(int n, Fault fault);
  /// Operations since construction or fail_at.
  int operations() const;
  /// Whether the fault has struck.
  bool has_failed() const;

  std::unique_ptr<cluster::WritableFile> create(const std::string& path) override;
  std::unique_ptr<cluster::WritableFile> append(const std::string& path) override;
  std::string read(const std::string& path) const override { return disk_->read(path); }
  void rename(const std::string& from, const std::string& to) override;
  void sync_folder(const std::string& path) override;
  void make_folders(const std::string& path) override;
  void remove_all(const std::string& path) override;
  bool exists(const std::string& path) const override { return disk_->exists(path); }
  uint64_t size(const std::string& path) const override { return disk_->size(path); }
  std::vector<std::string> list(const std::string& path) const override { return disk_->list(path); }
  void truncate(const std::string& path, uint64_t size) override;

 private:
  friend class FaultyFile;
  enum class Outcome { goes_on, torn, dropped };
  /// Counts an operation and says what becomes of it; throws for the faults that do.
  Outcome next(const std::string& path, bool is_write);
  std::unique_ptr<cluster::WritableFile> opened(const std::string& path, bool append);
  void lose_unsynced();

  const std::shared_ptr<cluster::FileSystem> disk_;
  mutable std::mutex mutex_;
  int operations_ = 0, failing_ = 0;
  Fault fault_ = Fault::no_space;
  bool stopped_ = false;
  std::map<std::string, uint64_t> synced_;  ///< bytes that a power cut would leave, of files written here
};

}  // namespace smoothlab::test
