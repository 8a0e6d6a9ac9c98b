#include "eval/compact_logits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "cluster/error.h"
#include "eval/equivalent_smoothing.h"
#include "eval/logit_chunks.h"
#include "eval/output_file.h"
#include "eval/whole_logit_file.h"

namespace smoothlab::eval {
namespace {

/// A chunk of rows as they are stored.
struct CompactRows {
  std::vector<float> top, rest;
  std::vector<int32_t> classes;
  std::vector<int64_t> sample_ids, positions;
};

/// log of the mean of e^z over the classes that come after the first `top` in `order`.
double log_mean(const float* z, const std::vector<int32_t>& order, size_t top) {
  const double highest = z[order[top]];
  double sum = 0;
  for (size_t i = top; i < order.size(); ++i) sum += std::exp(z[order[i]] - highest);
  return highest + std::log(sum / static_cast<double>(order.size() - top));
}

/// The row's classes, the `top` with the greatest logits in front, in falling order; the lower class first
/// where two are equal.
void order_classes(const float* z, size_t top, std::vector<int32_t>& order) {
  std::iota(order.begin(), order.end(), 0);
  const auto greater = [z](int32_t a, int32_t b) { return z[a] > z[b] || (z[a] == z[b] && a < b); };
  std::nth_element(order.begin(), order.begin() + static_cast<int64_t>(top), order.end(), greater);
  std::sort(order.begin(), order.begin() + static_cast<int64_t>(top), greater);
}

CompactRows compact(const LogitChunk& chunk, size_t top) {
  CompactRows rows;
  std::vector<int32_t> order(static_cast<size_t>(chunk.classes));
  for (int64_t row = 0; row < chunk.rows; ++row) {
    const float* z = chunk.logits + row * chunk.classes;
    order_classes(z, top, order);
    for (size_t i = 0; i < top; ++i) {
      rows.top.push_back(z[order[i]]);
      rows.classes.push_back(order[i]);
    }
    rows.rest.push_back(static_cast<float>(log_mean(z, order, top)));
  }
  return rows;
}

/// A dataset of the new file, written block of rows after block.
class Column {
 public:
  Column(const Hdf5Output& output, const std::string& name, hid_t stored, hid_t memory, int64_t rows,
         int64_t width, const std::string& path)
      : memory_(memory), width_(width), what_("write /" + name), path_(path) {
    const auto n = static_cast<hsize_t>(rows), w = static_cast<hsize_t>(std::max<int64_t>(width, 1));
    const Hdf5Handle space = width > 0 ? dataspace({n, w}) : dataspace({n});
    dataset_ = Hdf5Handle(
        H5Dcreate2(output.file(), name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
    require_hdf5(bool(dataset_), "create /" + name, path);
  }

  void write(int64_t first, int64_t rows, const void* values) const {
    const hsize_t start[2] = {static_cast<hsize_t>(first), 0};
    const hsize_t count[2] = {static_cast<hsize_t>(rows), static_cast<hsize_t>(std::max<int64_t>(width_, 1))};
    const int rank = width_ > 0 ? 2 : 1;
    const Hdf5Handle space(H5Dget_space(dataset_), H5Sclose);
    const Hdf5Handle block(H5Screate_simple(rank, count, nullptr), H5Sclose);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
    require_hdf5(H5Dwrite(dataset_, memory_, block, space, H5P_DEFAULT, values) >= 0, what_, path_);
  }

 private:
  hid_t memory_;
  int64_t width_;
  std::string what_, path_;
  Hdf5Handle dataset_;
};

/// What ½ Σ |p − q| comes to over rows, at each temperature.
class Difference {
 public:
  explicit Difference(const std::vector<double>& temperatures)
      : temperatures_(temperatures), sums_(temperatures.size(), 0.0) {}

  void add(const float* full, const float* compact, int64_t rows, int64_t classes) {
    std::vector<double> p, q;
    for (int64_t row = 0; row < rows; ++row)
      for (size_t t = 0; t < temperatures_.size(); ++t) {
        softmax(full + row * classes, classes, temperatures_[t], p);
        softmax(compact + row * classes, classes, temperatures_[t], q);
        for (size_t k = 0; k < p.size(); ++k) sums_[t] += 0.5 * std::abs(p[k] - q[k]);
      }
    rows_ += static_cast<double>(rows);
  }

  double mean(size_t t) const { return sums_[t] / rows_; }

 private:
  static void softmax(const float* z, int64_t classes, double temperature, std::vector<double>& p) {
    const double highest = *std::max_element(z, z + classes);
    p.clear();
    for (int64_t k = 0; k < classes; ++k) p.push_back(std::exp((z[k] - highest) / temperature));
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& one : p) one /= sum;
  }

  const std::vector<double>& temperatures_;
  std::vector<double> sums_;
  double rows_ = 0;
};

void write_compact(const LogitFile& file, const Hdf5Output& output, int64_t top, const std::string& to) {
  const int64_t n = file.rows();
  const Hdf5Handle source = open_hdf5(file.path());
  write_attribute(output.file(), "complete", int64_t{0});
  write_attribute(output.file(), "classes", file.classes());
  copy_attributes(source, output.file(), to);  // but for those that are there
  if (hdf5_has(source, "class_names"))
    require_hdf5(H5Ocopy(source, "class_names", output.file(), "class_names", H5P_DEFAULT, H5P_DEFAULT) >= 0,
                 "copy /class_names", to);
  const Column logits(output, "top_logits", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, n, top, to),
      classes(output, "top_classes", H5T_STD_I32LE, H5T_NATIVE_INT32, n, top, to),
      rest(output, "rest_logit", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, n, 0, to),
      labels(output, "labels", H5T_STD_I64LE, H5T_NATIVE_INT64, n, 0, to),
      ids(output, "sample_id", H5T_STD_I64LE, H5T_NATIVE_INT64, n, 0, to);
  std::optional<Column> positions;
  if (file.has("position")) positions.emplace(output, "position", H5T_STD_I32LE, H5T_NATIVE_INT64, n, 0, to);
  // Not by for_each_chunk, whose threads would wait for HDF5, which is this one's while it writes.
  std::vector<float> logits_read;
  std::vector<int64_t> labels_read;
  for (LogitChunk chunk; chunk.first_row < n; chunk.first_row += chunk.rows, ++chunk.index) {
    chunk.rows = std::min(chunk_rows(file), n - chunk.first_row);
    chunk.classes = file.classes();
    logits_read.resize(static_cast<size_t>(chunk.rows * chunk.classes));
    labels_read.resize(static_cast<size_t>(chunk.rows));
    file.read_logits(chunk.first_row, chunk.rows, logits_read.data());
    file.read_labels(chunk.first_row, chunk.rows, labels_read.data());
    chunk.logits = logits_read.data();
    chunk.labels = labels_read.data();
    check_chunk(file.path(), chunk);
    CompactRows rows = compact(chunk, static_cast<size_t>(top));
    rows.sample_ids.resize(static_cast<size_t>(chunk.rows));
    file.read_sample_ids(chunk.first_row, chunk.rows, rows.sample_ids.data());
    if (positions) {
      rows.positions.resize(rows.sample_ids.size());
      file.read_positions(chunk.first_row, chunk.rows, rows.positions.data());
    }
    logits.write(chunk.first_row, chunk.rows, rows.top.data());
    classes.write(chunk.first_row, chunk.rows, rows.classes.data());
    rest.write(chunk.first_row, chunk.rows, rows.rest.data());
    labels.write(chunk.first_row, chunk.rows, chunk.labels);
    ids.write(chunk.first_row, chunk.rows, rows.sample_ids.data());
    if (positions) positions->write(chunk.first_row, chunk.rows, rows.positions.data());
    output.check();
  }
}

std::vector<CompactError> compare(const LogitFile& full, const LogitFile& compact,
                                  const std::vector<double>& temperatures) {
  EquivalentSmoothing of_full(temperatures, full.classes()), of_compact(temperatures, full.classes());
  Difference difference(temperatures);
  std::vector<float> rows;
  for_each_chunk(full, 1, [&](int, const LogitChunk& chunk) {
    rows.resize(static_cast<size_t>(chunk.rows * chunk.classes));
    compact.read_logits(chunk.first_row, chunk.rows, rows.data());
    of_full.add(chunk.logits, chunk.labels, chunk.rows);
    of_compact.add(rows.data(), chunk.labels, chunk.rows);
    difference.add(chunk.logits, rows.data(), chunk.rows, chunk.classes);
  });
  std::vector<CompactError> errors;
  for (size_t t = 0; t < temperatures.size(); ++t)
    errors.push_back({temperatures[t], of_full.gamma()[t], of_compact.gamma()[t], difference.mean(t)});
  return errors;
}

}  // namespace

std::vector<CompactError> compact_logit_file(const std::string& from, const std::string& to, int64_t top,
                                             const std::vector<double>& temperatures) {
  const LogitFile full(from);
  if (top < 1 || top >= full.classes())
    throw UsageError(fmt::format("{} of {} logits cannot be kept", top, full.classes()), "--top-k",
                     fmt::format("keep 1 to {}", full.classes() - 1));
  claim_output(to, OutputKind::logits, full.paths());
  write_logit_file_whole(to, [&](const Hdf5Output& output) { write_compact(full, output, top, to); });
  return compare(full, LogitFile(to, Incomplete::refuse, Compact::accept), temperatures);
}

}  // namespace smoothlab::eval
