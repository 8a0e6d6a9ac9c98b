#pragma once

#include <memory>

#include "eval/hdf5_handle.h"

namespace smoothlab::eval {

/// What went wrong first on the way of a file's bytes to the disk: errno, 0 while nothing has.
struct WriteFailure {
  int reason = 0;
};

/// File access for HDF5 through a driver of our own, which writes as the library's own does but tells
/// `failure` and not the library of what fails: HDF5 (1.10 to 1.14 at least) crashes, at once or when the
/// process ends, where what it holds cannot be written. After a failure nothing more is written. Whoever
/// opens a file with this must look at `failure` once it is closed. Call under an Hdf5Lock.
Hdf5Handle write_access(const std::shared_ptr<WriteFailure>& failure);

}  // namespace smoothlab::eval
