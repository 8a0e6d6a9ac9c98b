#include "eval/write_driver.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace smoothlab::eval {
namespace {

struct DriverFile : H5FD_t {
  DriverFile() : H5FD_t{} {}
  int descriptor = -1;
  haddr_t allocated = 0, end = 0;
  std::shared_ptr<WriteFailure> failure;

  void failed() const {
    if (failure->reason == 0) failure->reason = errno;
  }
};

/// What HDF5 hands to open_file(); it copies these bytes.
struct DriverInfo {
  const std::shared_ptr<WriteFailure>* failure;
};

DriverFile& ours(H5FD_t* file) {
  return *static_cast<DriverFile*>(file);
}
const DriverFile& ours(const H5FD_t* file) {
  return *static_cast<const DriverFile*>(file);
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  if (!info) return nullptr;  // not an access that write_access() made
  const auto& failure = *info->failure;
  const int how = ((flags & H5F_ACC_RDWR) ? O_RDWR : O_RDONLY) | ((flags & H5F_ACC_TRUNC) ? O_TRUNC : 0) |
                  ((flags & H5F_ACC_CREAT) ? O_CREAT : 0) | ((flags & H5F_ACC_EXCL) ? O_EXCL : 0);
  const int descriptor = ::open(name, how | O_CLOEXEC, 0666);
  struct stat status {};
  // HDF5 may try more than once; the last answer counts.
  failure->reason = descriptor < 0 || ::fstat(descriptor, &status) != 0 ? errno : 0;
  if (failure->reason != 0) {
    if (descriptor >= 0) ::close(descriptor);
    return nullptr;
  }
  auto file = std::make_unique<DriverFile>();
  file->descriptor = descriptor;
  file->end = static_cast<haddr_t>(status.st_size);
  file->failure = failure;
  return file.release();
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<DriverFile> closed(&ours(file));
  if (::close(closed->descriptor) != 0 && errno != EINTR) closed->failed();  // where NFS tells of a full disk
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t allocated_end(const H5FD_t* file, H5FD_mem_t) {
  return ours(file).allocated;
}

herr_t set_allocated_end(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  ours(file).allocated = end;
  return 0;
}

haddr_t file_end(const H5FD_t* file, H5FD_mem_t) {
  return ours(file).end;
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, void* out) {
  auto* target = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = ::pread(ours(file).descriptor, target, bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      ours(file).failed();
      return -1;
    }
    if (got == 0) break;
    target += got;
    at += static_cast<haddr_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  std::memset(target, 0, bytes);  // allocated, but not written yet
  return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, const void* values) {
  DriverFile& f = ours(file);
  const auto* next = static_cast<const char*>(values);
  f.end = std::max(f.end, at + bytes);
  while (bytes > 0 && f.failure->reason == 0) {
    const ssize_t put = ::pwrite(f.descriptor, next, bytes, static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      f.failed();
      break;
    }
    next += put;
    at += static_cast<haddr_t>(put);
    bytes -= static_cast<size_t>(put);
  }
  return 0;
}

herr_t truncate_to_allocated(H5FD_t* file, hid_t, hbool_t) {
  DriverFile& f = ours(file);
  if (f.end == f.allocated || f.failure->reason != 0) return 0;
  while (::ftruncate(f.descriptor, static_cast<off_t>(f.allocated)) != 0) {
    if (errno == EINTR) continue;
    f.failed();
    break;
  }
  f.end = f.allocated;
  return 0;
}

/// As the library's own driver does, so that both see each other's locks; nothing where there are none.
herr_t lock_file(H5FD_t* file, hbool_t exclusive) {
  if (::flock(ours(file).descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return 0;
  if (errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK) return 0;
  ours(file).failed();
  return -1;
}

herr_t unlock_file(H5FD_t* file) {
  (void)::flock(ours(file).descriptor, LOCK_UN);
  return 0;
}

hid_t register_driver() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 14, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(600);  // of those for anybody's use
#endif
  driver.name = "smoothlab";
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.fapl_size = sizeof(DriverInfo);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query;
  driver.get_eoa = allocated_end;
  driver.set_eoa = set_allocated_end;
  driver.get_eof = file_end;
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = truncate_to_allocated;
  driver.lock = lock_file;
  driver.unlock = unlock_file;
  return H5FDregister(&driver);
}

}  // namespace

Hdf5Handle write_access(const std::shared_ptr<WriteFailure>& failure) {
  static const hid_t driver = register_driver();  // the library's for as long as the process lives
  const DriverInfo info{&failure};
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  require_hdf5(driver >= 0 && H5Pset_driver(access, driver, &info) >= 0, "register a driver", "HDF5");
  return access;
}

}  // namespace smoothlab::eval
