#include <algorithm>
#include <vector>

#include "cluster/error.h"
#include "eval/hdf5_output.h"
#include "eval/logit_file.h"
#include "eval/output_file.h"
#include "eval/whole_logit_file.h"

namespace smoothlab::eval {
namespace {

constexpr hsize_t block_bytes = hsize_t{4} << 20;
constexpr hsize_t chunk_bytes = hsize_t{1} << 20;

bool is_virtual(hid_t object) {
  if (H5Iget_type(object) != H5I_DATASET) return false;
  const Hdf5Handle creation(H5Dget_create_plist(object), H5Pclose);
  return H5Pget_layout(creation) == H5D_VIRTUAL;
}

[[noreturn]] void refuse_filter(const std::string& name, const std::string& filter, hid_t object) {
  throw DataError("/" + name + " cannot be read: this HDF5 has no filter " + filter, file_of(object),
                  missing_filter_remedy);
}

struct MissingFilter {
  std::string dataset, filter;
};

/// For H5Lvisit, which ends at the first dataset that needs a filter which is not there.
herr_t find_missing_filter(hid_t group, const char* name, const H5L_info_t*, void* found) {
  const Hdf5Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
  if (H5Iget_type(object) != H5I_DATASET) return 0;
  const std::string filter = missing_filter(object);
  if (filter.empty()) return 0;
  *static_cast<MissingFilter*>(found) = {name, filter};
  return 1;
}

// Chunks that were stored as they are can be read without the filter; copying rows finds out.
bool needs_missing_filter(hid_t object, const std::string& name) {
  if (H5Iget_type(object) == H5I_DATASET) return !missing_filter(object).empty();
  MissingFilter found;
  if (H5Iget_type(object) == H5I_GROUP &&
      H5Lvisit(object, H5_INDEX_NAME, H5_ITER_INC, find_missing_filter, &found) > 0)
    refuse_filter(name + "/" + found.dataset, found.filter, object);
  return false;
}

/// A dataset of any type and rank, block of rows after block of rows, into a plain one.
void copy_rows(hid_t from, const Hdf5Output& output, const std::string& name, const std::string& path) {
  const Hdf5Handle type(H5Dget_type(from), H5Tclose), space(H5Dget_space(from), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> size(static_cast<size_t>(rank)), start(size.size(), 0);
  H5Sget_simple_extent_dims(space, size.data(), nullptr);
  hsize_t row_bytes = H5Tget_size(type);
  for (size_t i = 1; i < size.size(); ++i) row_bytes *= size[i];
  const auto rows_in = [&](hsize_t bytes) {
    return std::max<hsize_t>(1, std::min(size[0], bytes / std::max<hsize_t>(1, row_bytes)));
  };
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  std::vector<hsize_t> block = size;
  block[0] = rows_in(chunk_bytes);
  H5Pset_chunk(creation, rank, block.data());
  const Hdf5Handle to(
      H5Dcreate2(output.file(), name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose);
  require_hdf5(bool(to), "create /" + name, path);
  copy_attributes(from, to, path);

  const hsize_t rows = rows_in(block_bytes) / rows_in(chunk_bytes) * rows_in(chunk_bytes);
  std::vector<char> values(rows * row_bytes);
  for (; start[0] < size[0]; start[0] += rows) {
    block[0] = std::min(rows, size[0] - start[0]);
    const Hdf5Handle memory(H5Screate_simple(rank, block.data(), nullptr), H5Sclose);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, block.data(), nullptr);
    if (H5Dread(from, type, memory, space, H5P_DEFAULT, values.data()) < 0) {
      const std::string problem = hdf5_problem(), filter = missing_filter(from);
      if (!filter.empty()) refuse_filter(name, filter, from);
      throw DataError("/" + name + " cannot be read: " + problem, file_of(from),
                      "copy or write the file again");
    }
    require_hdf5(H5Dwrite(to, type, memory, space, H5P_DEFAULT, values.data()) >= 0, "write /" + name, path);
    output.check();
  }
}

herr_t add_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

void copy_objects(hid_t from, const Hdf5Output& output, const std::string& path) {
  std::vector<std::string> names;
  H5Literate(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_link, &names);
  for (const auto& name : names) {
    const Hdf5Handle object(H5Oopen(from, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object)
      throw DataError("/" + name + " leads nowhere", file_of(from), "remove the link from the file");
    if (is_virtual(object) || needs_missing_filter(object, name))
      copy_rows(object, output, name, path);
    else
      require_hdf5(H5Ocopy(from, name.c_str(), output.file(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0,
                   "copy /" + name, path);
    output.check();
  }
}

}  // namespace

void pack_logit_file(const std::string& from, const std::string& to) {
  const LogitFile checked(from);  // a shard that is missing would be copied as zeros
  claim_output(to, OutputKind::logits, checked.paths());
  write_logit_file_whole(to, [&](const Hdf5Output& output) {
    const Hdf5Handle source = open_hdf5(from);
    copy_attributes(source, output.file(), to);
    write_attribute(output.file(), "complete", int64_t{0});
    copy_objects(source, output, to);
  });
}

}  // namespace smoothlab::eval
