#pragma once

#include <atomic>
#include <cstdint>

#include "data/part_scan.h"
#include "data/positioned_file.h"

namespace smoothlab::data {

/// The images of a WebDataset shard: members of one key, the name up to the first dot after its folders, are
/// a sample. Takes key.jpg (.jpeg) and the number in key.cls; what else a sample has is left aside, and
/// members that belong to no sample are skipped. Throws as scan_part does.
ScannedPart scan_shard(const PositionedFile& file, std::atomic<int64_t>& found);

}  // namespace smoothlab::data
