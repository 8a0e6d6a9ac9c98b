#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "cluster/machine_probe.h"

namespace smoothlab::cluster {
namespace {

std::string remedy_for(int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
      return "free space on this file system or write elsewhere";
    case EACCES:
    case EPERM:
      return "check the owner and mode of the file and its folders";
    case EROFS:
      return "write to a file system that is not mounted read-only";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
      return "another thing has this name; move it away or choose another path";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "check the disk and the path";
  }
}

[[noreturn]] void fail(const std::string& action, const std::string& path, int reason) {
  throw EnvironmentError("cannot " + action + ": " + std::generic_category().message(reason), path,
                         remedy_for(reason));
}

/// For what is read: where it is missing, the input is at fault.
[[noreturn]] void fail_input(const std::string& action, const std::string& path, int reason) {
  if (reason == ENOENT || reason == ENOTDIR)
    throw DataError("cannot " + action + ": no such file", path, "check the path");
  fail(action, path, reason);
}

template <typename Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  /// A close that a signal interrupts has closed the descriptor on Linux; it must not be repeated.
  int close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0 || errno == EINTR ? 0 : -1;
  }

 private:
  int number_;
};

class LocalFile : public WritableFile {
 public:
  LocalFile(std::string path, int flags)
      : path_(std::move(path)),
        file_(retried([&] { return ::open(path_.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666); })) {
    if (file_.number() < 0) fail("write", path_, errno);
  }

  void write(const void* bytes, size_t count) override {
    const char* next = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t written =
          retried([&] { return ::write(file_.number(), next, std::min(count, size_t{1} << 30)); });
      if (written < 0) fail("write", path_, errno);
      next += written;
      count -= static_cast<size_t>(written);
    }
  }

  void sync() override {
    // Pipes and devices have nothing to sync and say so with EINVAL.
    if (retried([&] { return ::fsync(file_.number()); }) != 0 && errno != EINVAL) fail("sync", path_, errno);
  }

  void close() override {
    if (file_.close() != 0) fail("write", path_, errno);  // where NFS reports a full disk
  }

 private:
  std::string path_;
  Descriptor file_;
};

/// "process 4711 on node7 since 2026-03-01 12:00:00 UTC".
std::string own_name() {
  char now[64] = "";
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  std::strftime(now, sizeof now, "%F %T UTC", gmtime_r(&seconds, &parts));
  return "process " + std::to_string(getpid()) + " on " + host_name() + " since " + now;
}

class LocalLock : public FileLock {
 public:
  explicit LocalLock(const std::string& path)
      : file_(retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); })) {
    if (file_.number() < 0) fail("lock", path, errno);
    if (take() != 0) {
      if (errno == EWOULDBLOCK) throw_held(path);
      if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        fail("lock", path, errno);
    }
    // Only for people to read: on a full disk the lock holds all the same.
    const std::string holder = own_name() + "\n";
    [[maybe_unused]] const bool told =
        ::ftruncate(file_.number(), 0) == 0 && ::pwrite(file_.number(), holder.data(), holder.size(), 0) > 0;
  }

 private:
  /// Whoever asks whether a file is locked holds it for a moment.
  int take() const {
    for (int tries = 0;; ++tries) {
      const int result = retried([&] { return ::flock(file_.number(), LOCK_EX | LOCK_NB); });
      if (result == 0 || errno != EWOULDBLOCK || tries == 20) return result;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  [[noreturn]] void throw_held(const std::string& path) const {
    char text[512] = "";
    const ssize_t length = ::pread(file_.number(), text, sizeof text - 1, 0);
    std::string holder(text, length > 0 ? static_cast<size_t>(length) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    throw EnvironmentError("in use by " + (holder.empty() ? "another process" : holder), path,
                           "wait until it has ended, or stop it");
  }

  Descriptor file_;
};

class LocalFileSystem : public FileSystem {
 public:
  std::unique_ptr<WritableFile> create(const std::string& path) override {
    return std::make_unique<LocalFile>(path, O_TRUNC);
  }

  std::unique_ptr<WritableFile> append(const std::string& path) override {
    return std::make_unique<LocalFile>(path, O_APPEND);
  }

  std::string read(const std::string& path) const override {
    const Descriptor file(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (file.number() < 0) fail_input("read", path, errno);
    struct stat about {};
    if (::fstat(file.number(), &about) != 0) fail("read", path, errno);
    std::string bytes;
    bytes.resize(static_cast<size_t>(about.st_size));
    size_t filled = 0;
    for (;;) {  // until the end, whatever fstat said: files grow, and those in /proc claim to be empty
      if (filled == bytes.size()) {
        char probe = 0;
        const ssize_t more = retried([&] { return ::read(file.number(), &probe, 1); });
        if (more < 0) fail("read", path, errno);
        if (more == 0) return bytes;
        bytes.push_back(probe);
        bytes.resize(++filled + 4096);
      }
      const ssize_t got =
          retried([&] { return ::read(file.number(), &bytes[filled], bytes.size() - filled); });
      if (got < 0) fail("read", path, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail("rename " + from, to, errno);
  }

  void sync_folder(const std::string& path) override {
    const Descriptor folder(
        retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (folder.number() < 0) fail("sync folder", path, errno);
    // Some network file systems cannot sync a folder; their renames are durable by themselves.
    if (retried([&] { return ::fsync(folder.number()); }) != 0 && errno != EINVAL)
      fail("sync folder", path, errno);
  }

  void make_folders(const std::string& path) override {
    std::error_code problem;
    std::filesystem::create_directories(path, problem);
    if (problem) fail("make folder", path, problem.value());
  }

  void remove_all(const std::string& path) override {
    std::error_code problem;
    std::filesystem::remove_all(path, problem);
    if (problem) fail("remove", path, problem.value());
  }

  bool exists(const std::string& path) const override {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR) fail("look at", path, errno);
    return false;
  }

  uint64_t size(const std::string& path) const override {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) fail_input("read", path, errno);
    return static_cast<uint64_t>(about.st_size);
  }

  std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    std::error_code problem;
    std::filesystem::directory_iterator entry(path, problem);
    if (problem == std::errc::no_such_file_or_directory) return names;
    for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem))
      names.push_back(entry->path().filename().string());
    if (problem) fail("list folder", path, problem.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  void truncate(const std::string& path, uint64_t size) override {
    if (retried([&] { return ::truncate(path.c_str(), static_cast<off_t>(size)); }) != 0)
      fail_input("truncate", path, errno);
  }

  std::unique_ptr<FileLock> lock(const std::string& path) override {
    return std::make_unique<LocalLock>(path);
  }

  bool locked(const std::string& path) const override {
    const Descriptor file(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (file.number() < 0) return false;
    return retried([&] { return ::flock(file.number(), LOCK_SH | LOCK_NB); }) != 0 && errno == EWOULDBLOCK;
  }
};

}  // namespace

std::shared_ptr<FileSystem> local_file_system() {
  return std::make_shared<LocalFileSystem>();
}

}  // namespace smoothlab::cluster
