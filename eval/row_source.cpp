#include "eval/row_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "eval/half_precision.h"

namespace smoothlab::eval {
namespace {

std::string class_name(H5T_class_t type) {
  switch (type) {
    case H5T_INTEGER:
      return "integers";
    case H5T_FLOAT:
      return "floating-point numbers";
    case H5T_STRING:
      return "strings";
    case H5T_COMPOUND:
      return "records";
    case H5T_ENUM:
      return "an enumeration";
    default:
      return "another type";
  }
}

hid_t memory_type(RowType type) {
  return type == RowType::float32   ? H5T_NATIVE_FLOAT
         : type == RowType::float64 ? H5T_NATIVE_DOUBLE
                                    : H5T_NATIVE_INT64;
}

template <typename Name>
std::string text_of(const Name& get) {
  const ssize_t length = get(nullptr, 0);
  if (length <= 0) return "";
  std::string text(static_cast<size_t>(length) + 1, '\0');
  get(text.data(), text.size());
  text.resize(static_cast<size_t>(length));
  return text;
}

struct RowBlock {
  int64_t first = 0, rows = 0;
};

/// The rows that a selection covers if it is one block of whole rows.
std::optional<RowBlock> whole_rows(hid_t space) {
  hsize_t dimensions[2] = {0, 1};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank != 1 && rank != 2) return std::nullopt;
  H5Sget_simple_extent_dims(space, dimensions, nullptr);
  const H5S_sel_type selection = H5Sget_select_type(space);
  if (selection == H5S_SEL_ALL) return RowBlock{0, static_cast<int64_t>(dimensions[0])};
  if (selection != H5S_SEL_HYPERSLABS) return std::nullopt;
  hsize_t start[2] = {0, 0}, end[2] = {0, 0};
  if (H5Sget_select_bounds(space, start, end) < 0) return std::nullopt;
  const hsize_t width = rank == 2 ? dimensions[1] : 1, rows = end[0] - start[0] + 1;
  if (rank == 2 && (start[1] != 0 || end[1] + 1 != width)) return std::nullopt;
  if (static_cast<hsize_t>(H5Sget_select_npoints(space)) != rows * width) return std::nullopt;
  return RowBlock{static_cast<int64_t>(start[0]), static_cast<int64_t>(rows)};
}

}  // namespace

RowSource::RowSource(std::shared_ptr<SourceFile> file, const std::string& dataset, RowType type,
                     SourceFiles& files)
    : file_(std::move(file)), name_(dataset), type_(type) {
  const Hdf5Lock lock;
  dataset_ = Hdf5Handle(H5Dopen2(file_->file(), name_.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset_) fail("cannot be opened as a dataset: " + hdf5_problem(), "write it as a dataset of numbers");
  // HDF5 follows such a link into the current folder too, and reads there whatever has the name.
  if (file_of(dataset_) != file_of(file_->file()))
    fail("is a link into another file, " + file_of(dataset_),
         "copy the rows into this file, or refer to them by a virtual dataset");
  const Hdf5Handle space(H5Dget_space(dataset_), H5Sclose);
  rank_ = H5Sget_simple_extent_ndims(space);
  check_type();
  if (rank_ != 1 && rank_ != 2) return;
  hsize_t dimensions[2] = {0, 1};
  H5Sget_simple_extent_dims(space, dimensions, nullptr);
  rows_ = static_cast<int64_t>(dimensions[0]);
  width_ = static_cast<int64_t>(dimensions[1]);

  const Hdf5Handle file_type(H5Dget_type(dataset_), H5Tclose), half = float16_type();
  const Hdf5Handle creation(H5Dget_create_plist(dataset_), H5Pclose);
  if (H5Pget_layout(creation) == H5D_VIRTUAL) {
    resolve_virtual(creation, files);
    return;
  }
  narrow_ = type_ != RowType::float64 &&
            H5Tequal(file_type, type_ == RowType::float32 ? hid_t{half} : H5T_NATIVE_INT32) > 0;
  const bool same = H5Tequal(file_type, memory_type(type_)) > 0;
  if (narrow_ || same) extents_ = row_extents(file_->file(), dataset_);
  if (!extents_) open_again_with_cache(creation);
}

void RowSource::check_type() const {
  const Hdf5Handle file_type(H5Dget_type(dataset_), H5Tclose);
  const H5T_class_t found = H5Tget_class(file_type);
  if (found == H5T_INTEGER || (found == H5T_FLOAT && type_ != RowType::int64)) return;
  fail("holds " + class_name(found), type_ != RowType::int64 ? "store numbers"
                                     : name_ == "labels"     ? "store class numbers 0 … K−1 as integers"
                                                             : "store integers");
}

// A chunk that is cut by two reads must not be decoded twice.
void RowSource::open_again_with_cache(hid_t creation) {
  if (H5Pget_layout(creation) != H5D_CHUNKED) return;
  hsize_t chunk[2] = {1, 1};
  if (H5Pget_chunk(creation, rank_, chunk) != rank_) return;
  const Hdf5Handle file_type(H5Dget_type(dataset_), H5Tclose);
  const auto across = (static_cast<size_t>(width_) + chunk[1] - 1) / chunk[1];
  const size_t row_of_chunks = across * chunk[0] * chunk[1] * H5Tget_size(file_type);
  const size_t most = size_t{256} << 20;
  const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access, 10007, std::min(most, std::max(row_of_chunks * 2, size_t{1} << 20)), 1.0);
  dataset_.reset();
  dataset_ = Hdf5Handle(H5Dopen2(file_->file(), name_.c_str(), access), H5Dclose);
}

void RowSource::resolve_virtual(hid_t creation, SourceFiles& files) {
  size_t count = 0;
  H5Pget_virtual_count(creation, &count);
  bool whole = true;
  std::vector<Part> parts;
  for (size_t i = 0; i < count; ++i) {
    const auto file_name =
        text_of([&](char* out, size_t size) { return H5Pget_virtual_filename(creation, i, out, size); });
    const auto name =
        text_of([&](char* out, size_t size) { return H5Pget_virtual_dsetname(creation, i, out, size); });
    // "%b" stands for a series of files that may grow: HDF5 alone knows what is there.
    if (file_name.find('%') != std::string::npos) {
      whole = false;
      continue;
    }
    const auto file = file_name == "." ? file_ : files.open(*file_, file_name);
    if (!hdf5_has(file->file(), name))
      fail(fmt::format("refers to {} in {}, which is missing", name, file->path()), "write the shard again");
    const Hdf5Handle target(H5Pget_virtual_vspace(creation, i), H5Sclose);
    const Hdf5Handle source(H5Pget_virtual_srcspace(creation, i), H5Sclose);
    auto rows = std::make_shared<RowSource>(file, name, type_, files);
    // "All of the source" is stored without its size.
    const bool all = H5Sget_select_type(source) == H5S_SEL_ALL;
    const auto to = whole_rows(target);
    const auto from = all && to ? RowBlock{0, to->rows} : whole_rows(source);
    if (!to || !from || to->rows != from->rows || rows->width() != width_) {
      whole = false;
      continue;
    }
    if (from->first + from->rows > rows->rows() || (all && from->rows != rows->rows()))
      fail(fmt::format("refers to rows {}–{} of {}, which has {}", from->first, from->first + from->rows - 1,
                       file->path(), rows->rows()),
           "write the shard again");
    parts.push_back({to->first, to->rows, from->first, std::move(rows)});
  }
  if (!whole) return;
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.first_row < b.first_row; });
  int64_t covered = 0;
  for (const Part& part : parts) {
    if (part.first_row != covered) break;
    covered += part.rows;
  }
  if (covered != rows_)
    fail(fmt::format("row {} comes from no file of the virtual dataset", covered), "publish it again");
  parts_ = std::move(parts);
}

bool RowSource::direct() const {
  if (rows_ == 0 || extents_) return true;
  return !parts_.empty() &&
         std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.source->direct(); });
}

void RowSource::read(int64_t first, int64_t count, void* out) const {
  if (first < 0 || count < 0 || first + count > rows_)
    fail(fmt::format("has rows 0–{}, not {}–{}", rows_ - 1, first, first + count - 1), "ask for fewer rows");
  if (count == 0 || width_ == 0) return;
  if (!parts_.empty()) return read_parts(first, count, out);
  if (!extents_) return read_through_hdf5(first, count, out);
  if (!narrow_) return read_direct(first, count, out);
  if (type_ == RowType::float32)
    return read_widened<uint16_t>(first, count, static_cast<float*>(out), halves_to_floats);
  read_widened<int32_t>(first, count, static_cast<int64_t*>(out),
                        [](const int32_t* from, int64_t n, int64_t* to) { std::copy(from, from + n, to); });
}

void RowSource::read_parts(int64_t first, int64_t count, void* out) const {
  auto part = std::upper_bound(parts_.begin(), parts_.end(), first,
                               [](int64_t row, const Part& p) { return row < p.first_row; }) -
              1;
  auto* target = static_cast<char*>(out);
  for (; count > 0; ++part) {
    const int64_t skip = first - part->first_row, take = std::min(part->rows - skip, count);
    part->source->read(part->source_row + skip, take, target);
    target += take * width_ * value_bytes();
    first += take;
    count -= take;
  }
}

void RowSource::read_direct(int64_t first, int64_t count, void* out) const {
  for_each_run(*extents_, first, count, width_ * value_bytes(),
               [&](uint64_t offset, int64_t bytes, int64_t at) {
                 file_->read(offset, bytes, static_cast<char*>(out) + at);
               });
}

template <typename Stored, typename Value, typename Widen>
void RowSource::read_widened(int64_t first, int64_t count, Value* out, const Widen& widen) const {
  constexpr int64_t block = 16384;  // values; stays in the first-level cache
  constexpr int64_t size = sizeof(Stored);
  Stored stored[block];
  for_each_run(*extents_, first, count, width_ * size, [&](uint64_t offset, int64_t bytes, int64_t at) {
    for (int64_t done = 0; done < bytes; done += size * block) {
      const int64_t take = std::min(size * block, bytes - done);
      file_->read(offset + static_cast<uint64_t>(done), take, stored);
      widen(stored, take / size, out + (at + done) / size);
    }
  });
}

void RowSource::read_through_hdf5(int64_t first, int64_t count, void* out) const {
  const Hdf5Lock lock;
  const Hdf5Handle file_space(H5Dget_space(dataset_), H5Sclose);
  const hsize_t start[2] = {static_cast<hsize_t>(first), 0};
  const hsize_t extent[2] = {static_cast<hsize_t>(count), static_cast<hsize_t>(width_)};
  const Hdf5Handle memory_space(H5Screate_simple(rank_, extent, nullptr), H5Sclose);
  H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, nullptr, extent, nullptr);
  if (H5Dread(dataset_, memory_type(type_), memory_space, file_space, H5P_DEFAULT, out) >= 0) return;
  const std::string problem = hdf5_problem(), filter = missing_filter(dataset_);
  const std::string rows = fmt::format("rows {}–{} cannot be read: ", first, first + count - 1);
  if (!filter.empty()) fail(rows + "this HDF5 has no filter " + filter, missing_filter_remedy);
  fail(rows + problem, "copy or write the file again");
}

void RowSource::fail(const std::string& problem, const std::string& remedy) const {
  throw DataError("/" + name_ + " " + problem, file_->path(), remedy);
}

}  // namespace smoothlab::eval
