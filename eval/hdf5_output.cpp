#include "eval/hdf5_output.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "cluster/error.h"

namespace smoothlab::eval {

Hdf5Output::Hdf5Output(std::string path, bool create) : path_(std::move(path)) {
  const Hdf5Handle access = write_access(failure_);
  if (create) {
    H5Pset_alignment(access, 4096, 64);
    file_ = Hdf5Handle(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
  } else {
    file_ = Hdf5Handle(H5Fopen(path_.c_str(), H5F_ACC_RDWR, access), H5Fclose);
  }
  if (file_) return;
  check();
  require_hdf5(false, create ? "create" : "open for writing", path_);
}

void Hdf5Output::check() const {
  if (failure_->reason == EWOULDBLOCK)
    throw EnvironmentError("another process has the file open", path_, "let it end, then try again");
  if (failure_->reason != 0)
    throw EnvironmentError(std::string("cannot write: ") + std::strerror(failure_->reason), path_,
                           "check free space, quota and permissions of the folder");
}

void Hdf5Output::write(const std::function<void(const Hdf5Output&)>& work) {
  try {
    work(*this);
    require_hdf5(H5Fflush(file_, H5F_SCOPE_LOCAL) >= 0, "write", path_);
  } catch (const Error&) {
    file_.reset();
    check();  // what HDF5 made of it is no news
    throw;
  }
  file_.reset();
  check();
}

void create_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work) {
  const Hdf5Lock lock;
  Hdf5Output(path, true).write(work);
}

void change_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work) {
  const Hdf5Lock lock;
  Hdf5Output(path, false).write(work);
}

}  // namespace smoothlab::eval
