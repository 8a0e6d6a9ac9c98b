// project on 50,000 × 2048 float32 activations against just reading the same rows through HDF5, page cache
// warm: all rows of the three classes (the most work), and three classes of a thousand. HDF5 reads as h5py
// does, into one new array, and 128 rows at a time into one buffer. Ratios are of medians.
// Usage: projection_bench [rows [width [threads [folder]]]]; the file is made in a folder of its own and
// removed. Wanted: ratio ≤ 1.5 with all rows.
#include <hdf5.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/error.h"
#include "eval/penultimate_projection.h"

namespace {

using smoothlab::eval::LogitFile;
using smoothlab::eval::project;

constexpr hsize_t block_rows = 128;

/// Uniform in [0, 1), a function of n.
float uniform(uint64_t n) {
  n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9U;
  n = (n ^ (n >> 27)) * 0x94D049BB133111EBU;
  return static_cast<float>((n ^ (n >> 31)) >> 40) / (1 << 24);
}

template <typename Value>
void write(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& shape,
           const std::vector<Value>& values) {
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Sclose(space);
}

/// Labels in turn; activations in chunks of 1 MB, as evaluation writes them.
void make_file(const std::string& path, hsize_t rows, hsize_t width, hsize_t classes) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  std::vector<int64_t> labels(rows);
  for (hsize_t i = 0; i < rows; ++i) labels[i] = static_cast<int64_t>(i % classes);
  write(file, "labels", H5T_NATIVE_INT64, {rows}, labels);
  write(file, "logits", H5T_NATIVE_FLOAT, {rows, classes}, std::vector<float>(rows * classes));
  std::vector<float> weight(classes * width);
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = uniform(i);
  H5Gclose(H5Gcreate2(file, "classifier", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  write(file, "classifier/weight", H5T_NATIVE_FLOAT, {classes, width}, weight);
  write(file, "classifier/bias", H5T_NATIVE_FLOAT, {classes}, std::vector<float>(classes));

  const hsize_t shape[2] = {rows, width}, chunk[2] = {std::min(block_rows, rows), width};
  const hid_t space = H5Screate_simple(2, shape, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 2, chunk);
  const hid_t set =
      H5Dcreate2(file, "penultimate", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::vector<float> values(block_rows * width);
  for (hsize_t first = 0; first < rows; first += block_rows) {
    const hsize_t start[2] = {first, 0}, extent[2] = {std::min(block_rows, rows - first), width};
    for (hsize_t i = 0; i < extent[0]; ++i)
      for (hsize_t k = 0; k < width; ++k)
        values[i * width + k] = weight[(first + i) % classes * width + k] + uniform((first + i) * width + k);
    const hid_t memory = H5Screate_simple(2, extent, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, extent, nullptr);
    H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data());
    H5Sclose(memory);
  }
  H5Dclose(set);
  H5Pclose(creation);
  H5Sclose(space);
  H5Fclose(file);
}

/// The peer: every activation once.
void read_all(const std::string& path, hsize_t rows, hsize_t width, bool whole) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "penultimate", H5P_DEFAULT), space = H5Dget_space(set);
  if (whole) {
    const std::unique_ptr<float[]> array(new float[rows * width]);
    H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.get());
  }
  std::vector<float> values(block_rows * width);
  for (hsize_t first = 0; first < rows && !whole; first += block_rows) {
    const hsize_t start[2] = {first, 0}, extent[2] = {std::min(block_rows, rows - first), width};
    const hid_t memory = H5Screate_simple(2, extent, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, extent, nullptr);
    H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data());
    H5Sclose(memory);
  }
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
}

struct Side {
  const char* name;
  std::function<void()> work;
  std::vector<double> seconds = {};

  void take() {
    const auto begin = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  double median() const {
    auto sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const auto argument = [&](int i, hsize_t otherwise) {
    return argc > i ? static_cast<hsize_t>(std::strtoull(argv[i], nullptr, 10)) : otherwise;
  };
  const hsize_t rows = argument(1, 50000), width = argument(2, 2048);
  const int threads = static_cast<int>(argument(3, 2));
  std::string folder = (argc > 4 ? std::string(argv[4]) : std::filesystem::temp_directory_path().string()) +
                       "/projection_bench_XXXXXX";
  if (!mkdtemp(folder.data())) {
    std::perror(folder.c_str());
    return 4;
  }
  const std::string all = folder + "/all.h5", few = folder + "/few.h5";
  make_file(all, rows, width, 3);
  make_file(few, rows, width, 1000);
  const auto projecting = [](const std::string& path, int workers) {
    return [=] { project(LogitFile(path), {"0", "1", "2"}, {100, workers}); };
  };
  std::vector<Side> sides = {{"project, all rows", projecting(all, threads)},
                             {"project, one thread", projecting(all, 1)},
                             {"project, 3 of 1000 classes", projecting(few, threads)},
                             {"HDF5, whole new array", [&] { read_all(all, rows, width, true); }},
                             {"HDF5, block by block", [&] { read_all(all, rows, width, false); }}};
  for (int round = 0; round < 7; ++round)
    for (Side& side : sides) side.take();
  std::filesystem::remove_all(folder);
  std::printf("project, %llu x %llu float32, %d threads\n", static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(width), threads);
  for (const Side& side : sides) std::printf("  %-28s %8.1f ms\n", side.name, 1e3 * side.median());
  for (size_t peer = 3; peer < sides.size(); ++peer)
    std::printf("    project takes %.2f times as long as %s (wanted: <= 1.5)\n",
                sides[0].median() / sides[peer].median(), sides[peer].name);
  return 0;
} catch (const smoothlab::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return static_cast<int>(error.code());
}
