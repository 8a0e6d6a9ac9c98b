#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace smoothlab::data {

/// Images of one size with their labels, as they were before any augmentation, held in memory.
struct LabelledImages {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  ///< [N, H, W, C], 0…255
  std::vector<int32_t> labels;  ///< [N], 0…classes−1
  std::vector<std::string> class_names;
  std::string origin;  ///< where they came from, for messages

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
  int64_t image_bytes() const { return height * width * channels; }
  const uint8_t* image(int64_t sample) const { return pixels.data() + sample * image_bytes(); }
};

/// The two parts in which public image sets come.
struct ImageSplits {
  std::shared_ptr<const LabelledImages> train, test;
};

}  // namespace smoothlab::data
