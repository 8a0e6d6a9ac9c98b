// calibrate on 50,000 × 1000 float32 against just reading the same rows through HDF5, page cache warm: all
// metrics and the temperatures, without the bootstrap. HDF5 reads in five ways, one after the other with
// calibrate in every round: into a new array, as h5py does, and into one small buffer again and again. Ratios
// are of calibrate's median to theirs. Usage: calibrate_bench [rows [classes [threads [folder]]]]; the file
// is made in a folder of its own and removed. calibrate is timed on one thread too. Wanted: ratio ≤ 2, peak
// memory ≤ 600 MB whatever the rows.
#include <hdf5.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/error.h"
#include "eval/calibration_report.h"
#include "eval/row_kernels.h"

namespace {

using smoothlab::eval::analyse;
using smoothlab::eval::CalibrationOptions;
using smoothlab::eval::LogitFile;

constexpr hsize_t block_rows = 256;

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Roughly normal logits, the true class raised in most rows; contiguous, or chunks of about 1 MB.
void make_file(const std::string& path, hsize_t rows, hsize_t classes, bool chunked) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[2] = {rows, classes}, chunk[2] = {std::min(block_rows, rows), classes};
  const hid_t space = H5Screate_simple(2, shape, nullptr), label_space = H5Screate_simple(1, shape, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (chunked) H5Pset_chunk(creation, 2, chunk);
  const hid_t logits =
      H5Dcreate2(file, "logits", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  const hid_t labels =
      H5Dcreate2(file, "labels", H5T_NATIVE_INT64, label_space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  std::vector<float> values(block_rows * classes);
  std::vector<int64_t> truth(rows);
  for (hsize_t first = 0; first < rows; first += block_rows) {
    const hsize_t count = std::min(block_rows, rows - first);
    for (hsize_t i = 0; i < count; ++i) {
      float* row = values.data() + i * classes;
      for (hsize_t k = 0; k < classes; ++k) {
        const uint64_t h = mix((first + i) * classes + k + 1);
        double sum = -2 * 65536.0;
        for (int shift : {0, 16, 32, 48}) sum += static_cast<double>(h >> shift & 0xFFFF);
        row[k] = static_cast<float>(sum * 3 / 65536);
      }
      const uint64_t h = mix(~(first + i));
      truth[first + i] = static_cast<int64_t>(h % classes);
      // Raised in four rows of five.
      if (h % 5 > 0)
        row[truth[first + i]] += static_cast<float>(4 + 12 * (static_cast<double>(h >> 40) / (1 << 24)));
    }
    const hsize_t start[2] = {first, 0}, extent[2] = {count, classes};
    const hid_t memory = H5Screate_simple(2, extent, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, extent, nullptr);
    H5Dwrite(logits, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data());
    H5Sclose(memory);
  }
  H5Dwrite(labels, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, truth.data());
  for (hid_t id : {logits, labels}) H5Dclose(id);
  for (hid_t id : {space, label_space}) H5Sclose(id);
  H5Pclose(creation);
  H5Fclose(file);
}

/// How HDF5 reads chunks: by way of its cache, past it, or (raw) without its knowing what is in them.
/// whole: into one new array; the others 256 rows at a time into one buffer.
enum class Way { cached, uncached, raw, whole };

/// The peer: everything once. 256 rows are a chunk where there are any.
void read_all(const std::string& path, hsize_t rows, hsize_t classes, Way way) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  if (way == Way::uncached) H5Pset_chunk_cache(access, 0, 0, 0);
  const hid_t logits = H5Dopen2(file, "logits", access), labels = H5Dopen2(file, "labels", H5P_DEFAULT);
  const hid_t space = H5Dget_space(logits);
  std::vector<float> values(block_rows * classes);
  std::vector<int64_t> truth(rows);
  if (way == Way::whole) {
    const std::unique_ptr<float[]> array(new float[rows * classes]);
    H5Dread(logits, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.get());
  }
  for (hsize_t first = 0; first < rows && way != Way::whole; first += block_rows) {
    const hsize_t start[2] = {first, 0}, extent[2] = {std::min(block_rows, rows - first), classes};
    if (way == Way::raw) {
      uint32_t filters = 0;
      H5Dread_chunk(logits, H5P_DEFAULT, start, &filters, values.data());
      continue;
    }
    const hid_t memory = H5Screate_simple(2, extent, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, extent, nullptr);
    H5Dread(logits, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data());
    H5Sclose(memory);
  }
  H5Dread(labels, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, truth.data());
  H5Sclose(space);
  H5Pclose(access);
  H5Dclose(logits);
  H5Dclose(labels);
  H5Fclose(file);
}

struct Timings {
  std::vector<double> wall, processor;  // seconds; processor: of all threads
  void take(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t clock = std::clock();
    work();
    processor.push_back(static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC);
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto argument = [&](int i, hsize_t otherwise) {
    return argc > i ? static_cast<hsize_t>(std::strtoull(argv[i], nullptr, 10)) : otherwise;
  };
  const hsize_t rows = argument(1, 50000), classes = argument(2, 1000);
  CalibrationOptions options;
  options.threads = static_cast<int>(argument(3, 2));
  options.bootstrap = 0;
  std::string folder = (argc > 4 ? std::string(argv[4]) : std::filesystem::temp_directory_path().string()) +
                       "/calibrate_bench_XXXXXX";
  if (!mkdtemp(folder.data())) {
    std::perror(folder.c_str());
    return 4;
  }
  const std::string path = folder + "/logits.h5", contiguous = folder + "/contiguous.h5";
  make_file(path, rows, classes, true);
  make_file(contiguous, rows, classes, false);
  const double before = peak_megabytes();
  analyse(LogitFile(path), options);
  const double after = peak_megabytes();  // the peers' whole array comes later

  CalibrationOptions one_thread = options;
  one_thread.threads = 1;
  struct Peer {
    const char* name;
    const std::string& path;
    Way way;
    Timings timings;
  };
  std::vector<Peer> peers = {{"HDF5, whole new array", path, Way::whole, {}},
                             {"HDF5, chunk cache", path, Way::cached, {}},
                             {"HDF5, no chunk cache", path, Way::uncached, {}},
                             {"HDF5, raw chunks", path, Way::raw, {}},
                             {"HDF5, contiguous file", contiguous, Way::cached, {}}};
  Timings analysing, alone, with_bootstrap;
  for (int round = 0; round < 9; ++round) {
    for (Peer& peer : peers) peer.timings.take([&] { read_all(peer.path, rows, classes, peer.way); });
    analysing.take([&] { analyse(LogitFile(path), options); });
    alone.take([&] { analyse(LogitFile(path), one_thread); });
  }
  options.bootstrap = 1000;
  for (int round = 0; round < 3; ++round) with_bootstrap.take([&] { analyse(LogitFile(path), options); });
  const auto report = analyse(LogitFile(path), options);
  std::filesystem::remove_all(folder);

  std::printf("calibrate, %llu x %llu float32, %d threads, %s kernels\n",
              static_cast<unsigned long long>(rows), static_cast<unsigned long long>(classes),
              options.threads, smoothlab::eval::row_kernels().name);
  const auto line = [](const char* what, const Timings& timings) {
    std::printf("  %-24s %8.1f ms   (processor %.1f ms)\n", what, 1e3 * median(timings.wall),
                1e3 * median(timings.processor));
  };
  line("calibrate", analysing);
  line("calibrate, one thread", alone);
  line("with 3 x 1000 replicates", with_bootstrap);
  for (const Peer& peer : peers) {
    line(peer.name, peer.timings);
    std::printf("    calibrate takes %.2f times as long (wanted: <= 2)\n",
                median(analysing.wall) / median(peer.timings.wall));
  }
  std::printf("  peak memory            %8.0f MB, of it %.0f MB before (wanted: <= 600)\n", after, before);
  std::printf("  accuracy %.4f, ECE %.4f, T %.4f, ECE scaled %.4f\n", report.unscaled.accuracy,
              report.unscaled.ece, report.fit->temperature, report.scaled->ece);
  return 0;
} catch (const smoothlab::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return static_cast<int>(error.code());
}
