#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

namespace smoothlab::test {

inline hid_t native_type(float) {
  return H5T_NATIVE_FLOAT;
}
inline hid_t native_type(double) {
  return H5T_NATIVE_DOUBLE;
}
inline hid_t native_type(int32_t) {
  return H5T_NATIVE_INT32;
}
inline hid_t native_type(int64_t) {
  return H5T_NATIVE_INT64;
}

/// How a dataset is stored; everything by default as h5py's create_dataset does.
struct Storage {
  hid_t type = -1;             ///< file type, −1: that of the values
  std::vector<hsize_t> chunk;  ///< empty: contiguous
  int deflate = 0;
};

/// An HDF5 file as others write it.
class ForeignFile {
 public:
  explicit ForeignFile(const std::string& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~ForeignFile() { H5Fclose(file_); }
  ForeignFile(const ForeignFile&) = delete;
  ForeignFile& operator=(const ForeignFile&) = delete;
  hid_t id() const { return file_; }

  template <typename T>
  void dataset(const std::string& name, const std::vector<hsize_t>& dimensions, const std::vector<T>& values,
               const Storage& storage = {}) {
    const hid_t space = H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.data(), nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (!storage.chunk.empty())
      H5Pset_chunk(creation, static_cast<int>(storage.chunk.size()), storage.chunk.data());
    if (storage.deflate > 0) H5Pset_deflate(creation, static_cast<unsigned>(storage.deflate));
    const hid_t type = storage.type < 0 ? native_type(T()) : storage.type;
    const hid_t id = H5Dcreate2(file_, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(id, native_type(T()), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(id);
    H5Pclose(creation);
    H5Sclose(space);
  }

  void attribute(const std::string& name, int64_t value) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t id = H5Acreate2(file_, name.c_str(), H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, H5T_NATIVE_INT64, &value);
    H5Aclose(id);
    H5Sclose(space);
  }

  void attribute(const std::string& name, double value) { attribute(name, &value, H5Screate(H5S_SCALAR)); }
  void attribute(const std::string& name, const std::vector<double>& values) {
    const hsize_t count = values.size();
    attribute(name, values.data(), H5Screate_simple(1, &count, nullptr));
  }
  void attribute(const std::string& name, const std::string& value) {
    const hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, value.size() + 1);
    const hid_t id = H5Acreate2(file_, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, value.c_str());
    H5Aclose(id);
    H5Tclose(type);
    H5Sclose(space);
  }

 private:
  void attribute(const std::string& name, const double* values, hid_t space) {
    const hid_t id = H5Acreate2(file_, name.c_str(), H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, H5T_NATIVE_DOUBLE, values);
    H5Aclose(id);
    H5Sclose(space);
  }

  hid_t file_;
};

/// Logits that tell row and class apart and are exact in float16: small multiples of 1/8.
inline float exact_logit(int64_t row, int64_t column) {
  return static_cast<float>((row * 37 + column * 11) % 1009 - 504) / 8.0F;
}

inline std::vector<float> exact_logits(int64_t first, int64_t rows, int64_t classes) {
  std::vector<float> values;
  values.reserve(static_cast<size_t>(rows * classes));
  for (int64_t r = first; r < first + rows; ++r)
    for (int64_t k = 0; k < classes; ++k) values.push_back(exact_logit(r, k));
  return values;
}

inline std::vector<int64_t> exact_labels(int64_t first, int64_t rows, int64_t classes) {
  std::vector<int64_t> labels;
  for (int64_t r = first; r < first + rows; ++r) labels.push_back((r * 7) % classes);
  return labels;
}

}  // namespace smoothlab::test
