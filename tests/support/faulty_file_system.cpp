#include "support/faulty_file_system.h"

#include <filesystem>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::test {
namespace {

[[noreturn]] void full(const std::string& path) {
  throw EnvironmentError("cannot write: No space left on device", path, "free space (injected by a test)");
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool is_or_is_inside(const std::string& path, const std::string& folder) {
  return path == folder || path.compare(0, folder.size() + 1, folder + "/") == 0;
}

}  // namespace

class FaultyFile : public cluster::WritableFile {
 public:
  FaultyFile(FaultyFileSystem& files, std::string path, std::unique_ptr<cluster::WritableFile> file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}

  void write(const void* bytes, size_t count) override {
    const auto outcome = files_.next(path_, true);
    if (!file_ || outcome == FaultyFileSystem::Outcome::dropped) return;
    const bool torn = outcome == FaultyFileSystem::Outcome::torn;
    file_->write(bytes, torn ? count / 2 : count);
    if (!torn) return;
    if (files_.fault_ == Fault::torn) full(path_);
    if (files_.fault_ == Fault::power_cut) files_.lose_unsynced();
  }
  void sync() override {
    if (files_.next(path_, false) != FaultyFileSystem::Outcome::goes_on || !file_) return;
    file_->sync();
    const std::lock_guard<std::mutex> lock(files_.mutex_);
    files_.synced_[path_] = files_.disk_->size(path_);
  }
  void close() override {
    if (files_.next(path_, false) == FaultyFileSystem::Outcome::goes_on && file_) file_->close();
  }

 private:
  FaultyFileSystem& files_;
  std::string path_;
  std::unique_ptr<cluster::WritableFile> file_;
};

FaultyFileSystem::FaultyFileSystem(std::shared_ptr<cluster::FileSystem> disk) : disk_(std::move(disk)) {}

void FaultyFileSystem::fail_at(int n, Fault fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  operations_ = 0;
  failing_ = n;
  fault_ = fault;
  stopped_ = false;
}

int FaultyFileSystem::operations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

bool FaultyFileSystem::has_failed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failing_ > 0 && operations_ >= failing_;
}

FaultyFileSystem::Outcome FaultyFileSystem::next(const std::string& path, bool is_write) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++operations_;
  if (stopped_) return Outcome::dropped;
  if (operations_ != failing_) return Outcome::goes_on;
  if (fault_ == Fault::no_space || (fault_ == Fault::torn && !is_write)) full(path);
  stopped_ = fault_ == Fault::killed || fault_ == Fault::power_cut;
  if (fault_ == Fault::power_cut && !is_write) lose_unsynced();
  return is_write ? Outcome::torn : Outcome::dropped;
}

void FaultyFileSystem::lose_unsynced() {
  for (const auto& [path, size] : synced_)
    if (disk_->exists(path) && disk_->size(path) > size) disk_->truncate(path, size);
  lose_names();
}

void FaultyFileSystem::lose_names() {
  for (size_t i = namings_.size(); i-- > 0;) {
    const Naming& naming = namings_[i];
    if (naming.durable) continue;
    const std::string path = path_of(i, true);
    if (naming.from.empty())
      disk_->remove_all(path);
    else if (disk_->exists(path))
      disk_->rename(path, naming.from);
    if (!naming.covers) continue;
    const auto file = disk_->create(path);
    file->write(naming.covers->data(), naming.covers->size());
    file->close();
  }
}

std::string FaultyFileSystem::path_of(size_t naming, bool durable_only) const {
  std::string path = namings_[naming].path;
  for (size_t i = naming + 1; i < namings_.size(); ++i) {
    const Naming& later = namings_[i];
    if (later.from.empty() || (durable_only && !later.durable) || !is_or_is_inside(path, later.from))
      continue;
    path = later.path + path.substr(later.from.size());
  }
  return path;
}

/// With the folders above it that were missing.
void FaultyFileSystem::note_creation(const std::string& path) {
  if (path.empty() || disk_->exists(path)) return;
  note_creation(folder_of(path));
  namings_.push_back({path, "", std::nullopt, false});
}

std::unique_ptr<cluster::WritableFile> FaultyFileSystem::opened(const std::string& path, bool append) {
  if (next(path, false) != Outcome::goes_on) return std::make_unique<FaultyFile>(*this, path, nullptr);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    synced_[path] = append && disk_->exists(path) ? disk_->size(path) : 0;
    note_creation(path);
  }
  return std::make_unique<FaultyFile>(*this, path, append ? disk_->append(path) : disk_->create(path));
}

std::unique_ptr<cluster::WritableFile> FaultyFileSystem::create(const std::string& path) {
  return opened(path, false);
}

std::unique_ptr<cluster::WritableFile> FaultyFileSystem::append(const std::string& path) {
  return opened(path, true);
}

void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  if (next(to, false) != Outcome::goes_on) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  Naming naming{to, from, std::nullopt, false};
  if (disk_->exists(to) && !std::filesystem::is_directory(to)) {
    naming.covers = disk_->read(to);
    if (const auto known = synced_.find(to); known != synced_.end()) naming.covers->resize(known->second);
  }
  disk_->rename(from, to);
  namings_.push_back(std::move(naming));
  std::map<std::string, uint64_t> moved;
  for (const auto& [path, size] : synced_) {
    if (is_or_is_inside(path, from))
      moved[to + path.substr(from.size())] = size;
    else if (path != to)
      moved.emplace(path, size);
  }
  synced_ = std::move(moved);
}

void FaultyFileSystem::sync_folder(const std::string& path) {
  if (next(path, false) != Outcome::goes_on) return;
  disk_->sync_folder(path);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < namings_.size(); ++i)
    if (folder_of(path_of(i, false)) == path) namings_[i].durable = true;
}

void FaultyFileSystem::make_folders(const std::string& path) {
  if (next(path, false) != Outcome::goes_on) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    note_creation(path);
  }
  disk_->make_folders(path);
}

void FaultyFileSystem::remove_all(const std::string& path) {
  if (next(path, false) == Outcome::goes_on) disk_->remove_all(path);
}

void FaultyFileSystem::truncate(const std::string& path, uint64_t size) {
  if (next(path, false) == Outcome::goes_on) disk_->truncate(path, size);
}

}  // namespace smoothlab::test
