#include "eval/shard_layout.h"

#include <algorithm>

#include "eval/class_names.h"
#include "eval/hdf5_output.h"

namespace smoothlab::eval {
namespace {

struct Column {
  const char* name;
  hid_t type;
  int64_t width;  ///< 0: one value a row, [N]
  int64_t chunk_rows;
};

constexpr int64_t flat_chunk_rows = int64_t{1} << 17;  // 1 MiB of int64

// Space is allocated now and never filled, so that writing a row later is a write at a known place.
Hdf5Handle create_dataset(hid_t file, const std::string& path, const Column& column, int64_t rows,
                          const int64_t* fill) {
  const auto n = static_cast<hsize_t>(rows), width = static_cast<hsize_t>(column.width);
  const hsize_t dimensions[2] = {n, width};
  const hsize_t chunk[2] = {static_cast<hsize_t>(std::min(rows, column.chunk_rows)), width};
  const int rank = column.width > 0 ? 2 : 1;
  const Hdf5Handle space(H5Screate_simple(rank, dimensions, nullptr), H5Sclose);
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (rows > 0) {
    H5Pset_chunk(creation, rank, chunk);
    H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  }
  H5Pset_fill_time(creation, fill ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER);
  if (fill) H5Pset_fill_value(creation, H5T_NATIVE_INT64, fill);
  Hdf5Handle dataset(H5Dcreate2(file, column.name, column.type, space, H5P_DEFAULT, creation, H5P_DEFAULT),
                     H5Dclose);
  require_hdf5(bool(dataset), std::string("create /") + column.name, path);
  return dataset;
}

std::vector<RowExtent> lay_out(hid_t file, const std::string& path, const Column& column, int64_t rows,
                               const int64_t* fill = nullptr) {
  const Hdf5Handle dataset = create_dataset(file, path, column, rows, fill);
  auto extents = row_extents(file, dataset);
  require_hdf5(extents.has_value(), std::string("lay out /") + column.name, path);
  return std::move(*extents);
}

void write_origin(hid_t file, const LogitOrigin& origin, int64_t rows) {
  write_attribute(file, "schema", int64_t{1});
  write_attribute(file, "task", origin.task);
  write_attribute(file, "split", origin.split);
  write_attribute(file, "model", origin.model);
  write_attribute(file, "step", origin.step);
  if (origin.alpha) write_attribute(file, "alpha", *origin.alpha);
  write_attribute(file, "convention", origin.convention);
  write_attribute(file, "recipe", origin.recipe);
  write_attribute(file, "recipe_hash", origin.recipe_hash);
  write_attribute(file, "code_version", origin.code_version);
  if (!origin.inputs.empty()) write_attribute(file, "inputs", origin.inputs);
  if (!origin.samples_digest.empty()) write_attribute(file, "samples_digest", origin.samples_digest);
  if (!origin.weights_digest.empty()) write_attribute(file, "weights_digest", origin.weights_digest);
  write_attribute(file, "ranks", int64_t{origin.ranks});
  write_attribute(file, "rows", rows);
  write_attribute(file, "complete", int64_t{0});
}

int64_t summary_row_bytes(const SummaryShape& summary) {
  return 8 * static_cast<int64_t>(summary.temperatures.size()) + 4 + 8 * summary.top;
}

void write_temperatures(hid_t file, const std::vector<double>& temperatures, const std::string& path) {
  const Hdf5Handle space = dataspace({static_cast<hsize_t>(temperatures.size())});
  const Hdf5Handle dataset(
      H5Dcreate2(file, "temperatures", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  require_hdf5(dataset && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                   temperatures.data()) >= 0,
               "write /temperatures", path);
}

void lay_out_summary(hid_t file, const std::string& path, const LogitShape& shape, ShardLayout& layout) {
  const auto grid = static_cast<int64_t>(shape.summary->temperatures.size()), top = shape.summary->top;
  write_attribute(file, "keep", std::string("summary"));
  write_attribute(file, "classes", shape.classes);
  write_temperatures(file, shape.summary->temperatures, path);
  const auto column = [&](const char* name, hid_t type, int64_t width, int64_t chunk_rows) {
    return lay_out(file, path, {name, type, width, chunk_rows}, shape.rows);
  };
  layout.log_sum_exp = column("log_sum_exp", H5T_IEEE_F64LE, grid, rows_per_chunk(2 * grid));
  layout.label_logits = column("label_logit", H5T_IEEE_F32LE, 0, flat_chunk_rows);
  layout.top_logits = column("top_logits", H5T_IEEE_F32LE, top, rows_per_chunk(top));
  layout.top_classes = column("top_classes", H5T_STD_I32LE, top, rows_per_chunk(top));
}

void write_floats(hid_t group, const char* name, std::initializer_list<hsize_t> dimensions,
                  const std::vector<float>& values, const std::string& path) {
  const Hdf5Handle space = dataspace(dimensions);
  const Hdf5Handle dataset(
      H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  require_hdf5(
      dataset && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
      std::string("write /classifier/") + name, path);
}

}  // namespace

int64_t shard_row_bytes(const LogitShape& shape) {
  const int64_t real = shape.precision == LogitPrecision::float16 ? 2 : 4;
  const int64_t network =
      shape.summary ? summary_row_bytes(*shape.summary) : real * (shape.classes + shape.penultimate);
  return network + 16 + (shape.positions ? 4 : 0);
}

ShardLayout create_shard(const std::string& path, const LogitShape& shape, const LogitOrigin& origin) {
  const Hdf5Lock lock;
  const Hdf5Handle half = float16_type();
  const hid_t real = shape.precision == LogitPrecision::float16 ? half.get() : H5T_IEEE_F32LE;
  const int64_t unwritten = -1;
  ShardLayout layout;
  create_hdf5(path, [&](const Hdf5Output& output) {
    const hid_t file = output.file();
    write_origin(file, origin, shape.rows);
    if (!origin.class_names.empty()) write_class_names(file, origin.class_names, path);
    const auto reals = [&](const char* name, int64_t width) {
      return lay_out(file, path, {name, real, width, rows_per_chunk(width)}, shape.rows);
    };
    if (shape.summary)
      lay_out_summary(file, path, shape, layout);
    else
      layout.logits = reals("logits", shape.classes);
    if (shape.penultimate > 0) layout.penultimate = reals("penultimate", shape.penultimate);
    layout.labels = lay_out(file, path, {"labels", H5T_STD_I64LE, 0, flat_chunk_rows}, shape.rows);
    if (shape.positions)
      layout.positions = lay_out(file, path, {"position", H5T_STD_I32LE, 0, flat_chunk_rows}, shape.rows);
    layout.sample_ids =
        lay_out(file, path, {"sample_id", H5T_STD_I64LE, 0, flat_chunk_rows}, shape.rows, &unwritten);
  });
  return layout;
}

void add_classifier(const std::string& path, const std::vector<float>& weight,
                    const std::vector<float>& bias) {
  change_hdf5(path, [&](const Hdf5Output& output) {
    const Hdf5Handle group(H5Gcreate2(output.file(), "classifier", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                           H5Gclose);
    require_hdf5(bool(group), "create /classifier", path);
    write_floats(group, "weight", {bias.size(), weight.size() / bias.size()}, weight, path);
    write_floats(group, "bias", {bias.size()}, bias, path);
  });
}

void state_stand_ins(const std::string& path, int64_t rows) {
  change_hdf5(path, [&](const Hdf5Output& output) { write_attribute(output.file(), "stand_ins", rows); });
}

void mark_complete(const std::string& path) {
  change_hdf5(path, [&](const Hdf5Output& output) {
    const Hdf5Handle attribute(H5Aopen(output.file(), "complete", H5P_DEFAULT), H5Aclose);
    const int64_t complete = 1;
    require_hdf5(attribute && H5Awrite(attribute, H5T_NATIVE_INT64, &complete) >= 0, "mark as complete",
                 path);
  });
}

}  // namespace smoothlab::eval
