#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace smoothlab::eval {

/// Serialises calls into HDF5, which distributions also build without thread safety. Held for the shortest
/// time: rows themselves bypass the library wherever they can (see row_source.h). The lock belongs to the
/// library, which has one state a process however many runs and files use it; hence one lock a process.
class Hdf5Lock {
 public:
  Hdf5Lock();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// An HDF5 identifier that closes itself. Negative: none.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  ~Hdf5Handle() { reset(); }
  void reset() noexcept;
  hid_t get() const { return id_; }
  operator hid_t() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// What the library's error stack says was wrong: the innermost message without what is for HDF5's
/// developers. Empties the stack. To be asked right after the call that failed: the next one, be it the
/// closing of a handle, empties it too.
std::string hdf5_problem();

/// Throws EnvironmentError "cannot <doing>: <HDF5's reason>, path" when a call that writes has failed.
void require_hdf5(bool good, const std::string& doing, const std::string& path);

/// Opens for reading; throws DataError where the file is missing, not HDF5 or truncated.
Hdf5Handle open_hdf5(const std::string& path);

/// File types of schema 1. float16 is IEEE binary16, little-endian, as NumPy's.
Hdf5Handle float16_type();

Hdf5Handle dataspace(std::initializer_list<hsize_t> dimensions);
/// True where a link of this name leads to an object ("a/b": each step is checked).
bool hdf5_has(hid_t file, const std::string& name);
/// Where a soft or external link leads: "/other", "/logits of other.h5"; empty for a name that is neither.
std::string link_target(hid_t file, const std::string& name);
/// The filter that a dataset's chunks were written with and this HDF5 has not, "lzf (32000)"; empty where it
/// has all.
std::string missing_filter(hid_t dataset);
constexpr char missing_filter_remedy[] =
    "write it without compression or with gzip, or install the filter's HDF5 plugin";
/// Name of the file in which an object is.
std::string file_of(hid_t object);

void write_attribute(hid_t object, const std::string& name, const std::string& value);
void write_attribute(hid_t object, const std::string& name, int64_t value);
void write_attribute(hid_t object, const std::string& name, double value);
/// Text of a scalar attribute: strings as they are, numbers in shortest form; empty where missing.
std::string read_attribute(hid_t object, const std::string& name);
/// Copies every attribute of one object to another that does not have it yet.
void copy_attributes(hid_t from, hid_t to, const std::string& path);

}  // namespace smoothlab::eval
