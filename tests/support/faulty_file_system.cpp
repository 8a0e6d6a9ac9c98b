#include "support/faulty_file_system.h"

#include <utility>

#include "cluster/error.h"

namespace smoothlab::test {
namespace {

[[noreturn]] void full(const std::string& path) {
  throw EnvironmentError("cannot write: No space left on device", path, "free space (injected by a test)");
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
}

std::unique_ptr<cluster::WritableFile> FaultyFileSystem::opened(const std::string& path, bool append) {
  if (next(path, false) != Outcome::goes_on) return std::make_unique<FaultyFile>(*this, path, nullptr);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    synced_[path] = append && disk_->exists(path) ? disk_->size(path) : 0;
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
  disk_->rename(from, to);
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string, uint64_t> moved;
  for (const auto& [path, size] : synced_) {
    const bool inside = path.compare(0, from.size() + 1, from + "/") == 0;
    if (path == from || inside)
      moved[to + path.substr(from.size())] = size;
    else if (path != to)
      moved.emplace(path, size);
  }
  synced_ = std::move(moved);
}

void FaultyFileSystem::sync_folder(const std::string& path) {
  if (next(path, false) == Outcome::goes_on) disk_->sync_folder(path);
}

void FaultyFileSystem::make_folders(const std::string& path) {
  if (next(path, false) == Outcome::goes_on) disk_->make_folders(path);
}

void FaultyFileSystem::remove_all(const std::string& path) {
  if (next(path, false) == Outcome::goes_on) disk_->remove_all(path);
}

void FaultyFileSystem::truncate(const std::string& path, uint64_t size) {
  if (next(path, false) == Outcome::goes_on) disk_->truncate(path, size);
}

}  // namespace smoothlab::test
