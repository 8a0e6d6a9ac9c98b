#include "eval/hdf5_handle.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

herr_t keep_innermost(unsigned, const H5E_error2_t* entry, void* message) {
  auto& text = *static_cast<std::string*>(message);
  if (text.empty() && entry->desc && *entry->desc) text = entry->desc;
  return 0;
}

/// "unable to open file: name = 'x.h5', errno = 13, error message = 'Permission denied', flags = 0" is
/// "Permission denied", "truncated file: eof = 100, stored_eof = 200" "truncated file".
std::string in_plain_words(const std::string& text) {
  const std::string label = "error message = '";
  const size_t message = text.find(label);
  if (message != std::string::npos) {
    const size_t start = message + label.size();
    return text.substr(start, text.find('\'', start) - start);
  }
  const size_t value = text.find(" = ");
  if (value == std::string::npos) return text;
  const size_t values = text.find_last_of(":,", value);
  return values == std::string::npos ? text : text.substr(0, std::min(values, text.find(": ")));
}

void write_scalar(hid_t object, const std::string& name, hid_t file_type, hid_t memory_type,
                  const void* value) {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
  const Hdf5Handle attribute(H5Acreate2(object, name.c_str(), file_type, space, H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose);
  require_hdf5(attribute && H5Awrite(attribute, memory_type, value) >= 0, "write attribute " + name, "");
}

/// Locks files against other processes as the library does by default, but not where the file system cannot.
Hdf5Handle file_access() {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access, true, true);
  return access;
}

Hdf5Handle text_type() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

std::string read_text(hid_t attribute, hid_t file_type) {
  if (H5Tis_variable_str(file_type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, file_type, &text) < 0 || !text) return "";
    std::string result = text;
    H5free_memory(text);
    return result;
  }
  std::string result(H5Tget_size(file_type), '\0');
  if (H5Aread(attribute, file_type, result.data()) < 0) return "";
  return result.substr(0, result.find('\0'));
}

herr_t copy_attribute(hid_t from, const char* name, const H5A_info_t*, void* target) {
  const hid_t to = *static_cast<hid_t*>(target);
  if (H5Aexists(to, name) > 0) return 0;
  const Hdf5Handle source(H5Aopen(from, name, H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(source), H5Tclose);
  const Hdf5Handle space(H5Aget_space(source), H5Sclose);
  const Hdf5Handle copy(H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!source || !type || !space || !copy) return -1;
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count <= 0) return 0;
  std::vector<char> value(static_cast<size_t>(count) * H5Tget_size(type));
  if (H5Aread(source, type, value.data()) < 0) return -1;
  const herr_t written = H5Awrite(copy, type, value.data());
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, value.data());
  return written < 0 ? -1 : 0;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(library_mutex()) {
  // The library prints errors to stderr unless told not to; set by thread in a thread-safe build.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
  }
  return *this;
}

void Hdf5Handle::reset() noexcept {
  if (id_ < 0) return;
  const Hdf5Lock lock;
  close_(std::exchange(id_, -1));
}

std::string hdf5_problem() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "HDF5 gives no reason" : in_plain_words(text);
}

void require_hdf5(bool good, const std::string& doing, const std::string& path) {
  if (good) return;
  throw EnvironmentError("cannot " + doing + ": " + hdf5_problem(), path,
                         "check free space, quota and permissions of the folder");
}

Hdf5Handle open_hdf5(const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw DataError("no such file", path, "check the path");
  if (std::filesystem::is_directory(status))
    throw DataError("is a folder, not a file", path, "name a file in it, such as logits/test.h5");
  if (::access(path.c_str(), R_OK) != 0)
    throw DataError(std::string("cannot open: ") + std::strerror(errno), path, "check its permissions");
  const Hdf5Lock lock;
  const Hdf5Handle access = file_access();
  Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  if (file) return file;
  const std::string problem = hdf5_problem();
  if (problem.find("truncated") != std::string::npos)
    throw DataError("the file is cut short (" + problem + ")", path, "copy or write it again");
  if (H5Fis_hdf5(path.c_str()) > 0)
    throw DataError("cannot open: " + problem, path, "is another process writing it, or is it damaged?");
  throw DataError("not an HDF5 file (" + problem + ")", path,
                  "give an HDF5 file with /logits [N, K] and /labels [N]");
}

Hdf5Handle float16_type() {
  Hdf5Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

Hdf5Handle dataspace(std::initializer_list<hsize_t> dimensions) {
  return Hdf5Handle(H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.begin(), nullptr),
                    H5Sclose);
}

bool hdf5_has(hid_t file, const std::string& name) {
  for (size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
    if (H5Lexists(file, name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) {
      H5Eclear2(H5E_DEFAULT);
      return false;
    }
    if (slash == std::string::npos) break;
  }
  const bool resolves = H5Oexists_by_name(file, name.c_str(), H5P_DEFAULT) > 0;
  H5Eclear2(H5E_DEFAULT);
  return resolves;
}

std::string link_target(hid_t file, const std::string& name) {
  H5L_info_t link{};
  if (H5Lexists(file, name.c_str(), H5P_DEFAULT) <= 0 ||
      H5Lget_info(file, name.c_str(), &link, H5P_DEFAULT) < 0 || link.type == H5L_TYPE_HARD)
    return "";
  std::string value(link.u.val_size + 1, '\0');
  if (H5Lget_val(file, name.c_str(), value.data(), value.size(), H5P_DEFAULT) < 0) return "";
  if (link.type == H5L_TYPE_SOFT) return value.substr(0, value.find('\0'));
  const char *other = "", *object = "";
  unsigned flags = 0;
  if (H5Lunpack_elink_val(value.data(), link.u.val_size, &flags, &other, &object) < 0) return "elsewhere";
  return std::string(object) + " of " + other;
}

std::string missing_filter(hid_t dataset) {
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  std::string missing;
  for (int i = 0; i < std::max(0, H5Pget_nfilters(creation)) && missing.empty(); ++i) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    char name[128] = "";
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                               sizeof name, name, &config);
    if (H5Zfilter_avail(filter) <= 0)
      missing = fmt::format("{} ({})", *name ? name : "of no name", static_cast<int>(filter));
  }
  H5Eclear2(H5E_DEFAULT);
  return missing;
}

std::string file_of(hid_t object) {
  const ssize_t length = H5Fget_name(object, nullptr, 0);
  if (length <= 0) return "";
  std::string name(static_cast<size_t>(length) + 1, '\0');
  H5Fget_name(object, name.data(), name.size());
  name.resize(static_cast<size_t>(length));
  return name;
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const Hdf5Handle type = text_type();
  const char* text = value.c_str();
  write_scalar(object, name, type, type, &text);
}

void write_attribute(hid_t object, const std::string& name, int64_t value) {
  write_scalar(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void write_attribute(hid_t object, const std::string& name, double value) {
  write_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

std::string read_attribute(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return "";
  const Hdf5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose);
  if (H5Sget_simple_extent_npoints(space) != 1) return "";
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return read_text(attribute, type);
    case H5T_INTEGER: {
      int64_t value = 0;
      return H5Aread(attribute, H5T_NATIVE_INT64, &value) < 0 ? "" : fmt::format("{}", value);
    }
    case H5T_ENUM: {  // how h5py stores a bool
      const Hdf5Handle base(H5Tget_super(type), H5Tclose);
      int8_t value = 0;
      if (H5Tget_size(base) != 1 || H5Aread(attribute, type, &value) < 0) return "";
      return fmt::format("{}", int{value});
    }
    case H5T_FLOAT: {
      double value = 0;
      return H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) < 0 ? "" : fmt::format("{}", value);
    }
    default:
      return "";
  }
}

void copy_attributes(hid_t from, hid_t to, const std::string& path) {
  hid_t target = to;
  const herr_t copied = H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, copy_attribute, &target);
  require_hdf5(copied >= 0, "copy attributes", path);
}

}  // namespace smoothlab::eval
