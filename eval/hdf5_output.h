#pragma once

#include <functional>
#include <memory>
#include <string>

#include "eval/write_driver.h"

namespace smoothlab::eval {

/// An HDF5 file that is being written.
class Hdf5Output {
 public:
  hid_t file() const { return file_; }
  /// Throws EnvironmentError with the first failure of the disk so far. HDF5 itself is not told of any: a
  /// long job asks from time to time.
  void check() const;

 private:
  friend void create_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work);
  friend void change_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work);
  Hdf5Output(std::string path, bool create);
  void write(const std::function<void(const Hdf5Output&)>& work);

  std::string path_;
  std::shared_ptr<WriteFailure> failure_ = std::make_shared<WriteFailure>();
  Hdf5Handle file_;
};

/// Makes a file (an older one is emptied) or opens one, lets `work` write to it and closes it. Throws
/// EnvironmentError with path and reason where the disk fails or is full, else what `work` throws; the file
/// is then of no use. Large objects of a new file are placed at multiples of 64 bytes.
void create_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work);
void change_hdf5(const std::string& path, const std::function<void(const Hdf5Output&)>& work);

}  // namespace smoothlab::eval
