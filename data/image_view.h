#pragma once

#include <cstdint>

namespace smoothlab::data {

/// An RGB image in somebody else's memory: uint8 [height, width, 3], rows `stride` bytes apart.
struct ImageView {
  const uint8_t* pixels = nullptr;
  int64_t height = 0, width = 0, stride = 0;
};

/// Whole pixels [top, top + height) × [left, left + width) of an image.
struct PixelBox {
  int64_t top = 0, left = 0, height = 0, width = 0;
};

/// Part of an image in units of its pixels, the first of which covers [0, 1).
struct Box {
  double top = 0, left = 0, height = 0, width = 0;
};

}  // namespace smoothlab::data
