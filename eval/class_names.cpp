#include "eval/class_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "eval/hdf5_handle.h"

namespace smoothlab::eval {
namespace {

constexpr char object[] = "class_names";

Hdf5Handle utf8_of_any_length() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

[[noreturn]] void refuse(const std::string& path, const std::string& problem) {
  throw DataError("/class_names " + problem, path, "store one string for each class, or leave it out");
}

std::vector<std::string> read_any_length(hid_t dataset, hid_t type, size_t count, const std::string& path) {
  std::vector<char*> texts(count, nullptr);
  const Hdf5Handle memory(H5Tcopy(type), H5Tclose), space(H5Dget_space(dataset), H5Sclose);
  if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) < 0)
    refuse(path, "cannot be read: " + hdf5_problem());
  std::vector<std::string> names;
  for (const char* text : texts) names.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts.data());
  return names;
}

std::vector<std::string> read_fixed_length(hid_t dataset, hid_t type, size_t count, const std::string& path) {
  const size_t width = H5Tget_size(type);
  std::string texts(count * width, '\0');
  if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) < 0)
    refuse(path, "cannot be read: " + hdf5_problem());
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    std::string name = texts.substr(i * width, width);
    name.erase(std::min(name.find('\0'), name.size()));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

void write_class_names(hid_t file, const std::vector<std::string>& names, const std::string& path) {
  const Hdf5Handle type = utf8_of_any_length(), space = dataspace({names.size()});
  const Hdf5Handle dataset(H5Dcreate2(file, object, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                           H5Dclose);
  std::vector<const char*> texts;
  for (const std::string& name : names) texts.push_back(name.c_str());
  require_hdf5(dataset && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) >= 0,
               "write /class_names", path);
}

std::vector<std::string> read_class_names(hid_t file, int64_t classes, const std::string& path) {
  if (!hdf5_has(file, object)) return {};
  const Hdf5Handle dataset(H5Dopen2(file, object, H5P_DEFAULT), H5Dclose);
  if (!dataset) refuse(path, "is no dataset");
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose), space(H5Dget_space(dataset), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING) refuse(path, "holds no strings");
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (H5Sget_simple_extent_ndims(space) != 1 || count != classes)
    refuse(path, fmt::format("holds {} names, but there are {} classes", count, classes));
  const auto read = H5Tis_variable_str(type) > 0 ? read_any_length : read_fixed_length;
  return read(dataset, type, static_cast<size_t>(count), path);
}

}  // namespace smoothlab::eval
