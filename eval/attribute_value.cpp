#include "eval/attribute_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "eval/hdf5_handle.h"

namespace smoothlab::eval {
namespace {

using json = nlohmann::ordered_json;

template <typename T>
json numbers(hid_t attribute, hid_t memory_type, size_t count) {
  std::vector<T> values(count);
  if (H5Aread(attribute, memory_type, values.data()) < 0) return "(unreadable)";
  return values;
}

/// How h5py stores true and false.
json truths(hid_t attribute, hid_t type, size_t count) {
  const Hdf5Handle base(H5Tget_super(type), H5Tclose);
  if (H5Tget_size(base) != 1) return "(an enumeration)";
  std::vector<int8_t> values(count);
  if (H5Aread(attribute, type, values.data()) < 0) return "(unreadable)";
  json list = json::array();
  for (const int8_t value : values) list.push_back(value != 0);
  return list;
}

json texts(hid_t attribute, hid_t type, hid_t space, size_t count) {
  json list = json::array();
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> values(count, nullptr);
    if (H5Aread(attribute, type, values.data()) < 0) return "(unreadable)";
    for (const char* value : values) list.push_back(value ? value : "");
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, values.data());
    return list;
  }
  const size_t size = H5Tget_size(type);
  std::string values(size * count, '\0');
  if (H5Aread(attribute, type, values.data()) < 0) return "(unreadable)";
  for (size_t i = 0; i < count; ++i) {
    const std::string value = values.substr(i * size, size);
    list.push_back(value.substr(0, value.find('\0')));
  }
  return list;
}

json values_of(hid_t attribute, hid_t type, hid_t space, size_t count) {
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return texts(attribute, type, space, count);
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE ? numbers<uint64_t>(attribute, H5T_NATIVE_UINT64, count)
                                               : numbers<int64_t>(attribute, H5T_NATIVE_INT64, count);
    case H5T_FLOAT:
      return H5Tget_size(type) <= 4 ? numbers<float>(attribute, H5T_NATIVE_FLOAT, count)
                                    : numbers<double>(attribute, H5T_NATIVE_DOUBLE, count);
    case H5T_ENUM:
      return truths(attribute, type, count);
    default:
      return "(records)";
  }
}

herr_t add_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

json attribute_value(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return {};
  const Hdf5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count <= 0) return json::array();
  json values = values_of(attribute, type, space, static_cast<size_t>(count));
  const bool alone = H5Sget_simple_extent_type(space) == H5S_SCALAR;
  return values.is_array() && alone ? values[0] : values;
}

json attribute_values(hid_t object) {
  std::vector<std::string> names;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &names);
  json values = json::object();
  for (const auto& name : names) values[name] = attribute_value(object, name);
  return values;
}

}  // namespace smoothlab::eval
