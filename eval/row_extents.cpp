#include "eval/row_extents.h"

#include <algorithm>

namespace smoothlab::eval {
namespace {

/// Addresses count from the end of a user block.
bool has_user_block(hid_t file) {
  const Hdf5Handle creation(H5Fget_create_plist(file), H5Pclose);
  hsize_t bytes = 0;
  return H5Pget_userblock(creation, &bytes) < 0 || bytes > 0;
}

std::optional<std::vector<RowExtent>> chunk_extents(hid_t dataset, hid_t creation, int rank,
                                                    const hsize_t* dimensions, int64_t row_bytes) {
  hsize_t chunk[2] = {1, 1};
  if (H5Pget_chunk(creation, rank, chunk) != rank || (rank == 2 && chunk[1] != dimensions[1]))
    return std::nullopt;
  std::vector<RowExtent> extents;
  for (hsize_t row = 0; row < dimensions[0]; row += chunk[0]) {
    const hsize_t coordinates[2] = {row, 0};
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t bytes = 0;
    if (H5Dget_chunk_info_by_coord(dataset, coordinates, &mask, &address, &bytes) < 0 ||
        address == HADDR_UNDEF || bytes != chunk[0] * static_cast<hsize_t>(row_bytes)) {
      H5Eclear2(H5E_DEFAULT);
      return std::nullopt;
    }
    const auto rows = static_cast<int64_t>(std::min(chunk[0], dimensions[0] - row));
    if (!extents.empty() &&
        extents.back().offset + static_cast<uint64_t>(extents.back().rows * row_bytes) == address)
      extents.back().rows += rows;
    else
      extents.push_back({static_cast<int64_t>(row), rows, address});
  }
  return extents;
}

}  // namespace

std::optional<std::vector<RowExtent>> row_extents(hid_t file, hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank != 1 && rank != 2) return std::nullopt;
  hsize_t dimensions[2] = {0, 1};
  H5Sget_simple_extent_dims(space, dimensions, nullptr);
  if (dimensions[0] == 0 || dimensions[1] == 0) return std::vector<RowExtent>{};
  if (has_user_block(file) || H5Pget_external_count(creation) > 0) return std::nullopt;
  const auto row_bytes = static_cast<int64_t>(dimensions[1] * H5Tget_size(type));
  switch (H5Pget_layout(creation)) {
    case H5D_CONTIGUOUS: {
      const haddr_t address = H5Dget_offset(dataset);
      if (address == HADDR_UNDEF) return std::nullopt;
      return std::vector<RowExtent>{{0, static_cast<int64_t>(dimensions[0]), address}};
    }
    case H5D_CHUNKED:
      if (H5Pget_nfilters(creation) > 0) return std::nullopt;
      return chunk_extents(dataset, creation, rank, dimensions, row_bytes);
    default:
      return std::nullopt;
  }
}

}  // namespace smoothlab::eval
