#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/file_system.h"

namespace smoothlab::test {

enum class Fault {
  no_space,   ///< the operation does nothing and throws EnvironmentError, as on a full disk
  torn,       ///< the same, but half of what was to be written has been written
  killed,     ///< half of a write is done, and from then on nothing more reaches the disk, silently
  power_cut,  ///< as killed, and what was not synced is lost: bytes of files, names of files and folders
};

/// A file system that goes wrong at one chosen operation. Operations that change the disk are counted:
/// create, append, write, sync, close, rename, sync_folder, make_folders, remove_all, truncate. Thread-safe.
/// As harsh as POSIX lets a disk be: a power cut undoes every creation and renaming of which the folder has
/// not been synced since, while what was removed stays removed.
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
  std::unique_ptr<cluster::FileLock> lock(const std::string& path) override { return disk_->lock(path); }
  bool locked(const std::string& path) const override { return disk_->locked(path); }

 private:
  friend class FaultyFile;
  enum class Outcome { goes_on, torn, dropped };
  /// Counts an operation and says what becomes of it; throws for the faults that do.
  Outcome next(const std::string& path, bool is_write);
  std::unique_ptr<cluster::WritableFile> opened(const std::string& path, bool append);
  /// A name that was given, in the order of giving.
  struct Naming {
    std::string path, from;             ///< from: empty where it was created
    std::optional<std::string> covers;  ///< bytes of the file that had this name before
    bool durable = false;               ///< its folder has been synced since
  };
  void lose_unsynced();
  void lose_names();
  /// What the path of a naming has become by the renamings after it: by all of them, or those that lasted.
  std::string path_of(size_t naming, bool durable_only) const;
  void note_creation(const std::string& path);

  const std::shared_ptr<cluster::FileSystem> disk_;
  mutable std::mutex mutex_;
  int operations_ = 0, failing_ = 0;
  Fault fault_ = Fault::no_space;
  bool stopped_ = false;
  std::map<std::string, uint64_t> synced_;  ///< bytes that a power cut would leave, of files written here
  std::vector<Naming> namings_;
};

}  // namespace smoothlab::test
