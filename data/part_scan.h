#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "data/image_source.h"

namespace smoothlab::data {

/// An image as it lies in its container.
struct ScannedImage {
  std::string name;    ///< of the file, in shards with its folders
  int64_t offset = 0;  ///< in the container; 0 in a folder
  int64_t size = 0;    ///< bytes, at least 1
  int64_t label = -1;  ///< in shards its class; −1: not known yet
};

/// All that a part of a source holds.
struct ScannedPart {
  std::vector<ScannedImage> images;
  std::vector<SkippedMembers> skipped;
};

/// Finds the images of a part; `found` counts them on the way. Throws DataError with file and offset: as
/// TarScan does; an image of no bytes, or a link instead of one; in shards an image without a label or a
/// label without an image, a label that is no number, a key that is there twice.
ScannedPart scan_part(const ImageSource& source, const ImagePart& part, std::atomic<int64_t>& found);

}  // namespace smoothlab::data
