#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "eval/hdf5_handle.h"

namespace smoothlab::eval {

/// Rows that lie one after the other in a file.
struct RowExtent {
  int64_t first_row = 0, rows = 0;
  uint64_t offset = 0;  ///< of the first row in the file, bytes
};

/// Where the rows of a dataset [N] or [N, K] lie in its file, in rising order and without gaps. None where
/// they are not there as they are: filtered, virtual, in external files, chunks narrower than a row, or not
/// allocated. Rows can then only be had through HDF5. Call under an Hdf5Lock.
std::optional<std::vector<RowExtent>> row_extents(hid_t file, hid_t dataset);

/// Calls visit(offset in the file, bytes, offset in the caller's rows) for every run of bytes that holds rows
/// [first, first+count) of `row_bytes` each.
template <typename Visit>
void for_each_run(const std::vector<RowExtent>& extents, int64_t first, int64_t count, int64_t row_bytes,
                  const Visit& visit) {
  size_t low = 0, high = extents.size();
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    (extents[middle].first_row <= first ? low : high) = middle;
  }
  int64_t done = 0;
  for (; done < count; ++low) {
    const RowExtent& extent = extents[low];
    const int64_t skip = first + done - extent.first_row;
    const int64_t take = extent.rows - skip < count - done ? extent.rows - skip : count - done;
    visit(extent.offset + static_cast<uint64_t>(skip * row_bytes), take * row_bytes, done * row_bytes);
    done += take;
  }
}

}  // namespace smoothlab::eval
