#pragma once

#include <array>
#include <cstdint>

#include "cluster/addressed_random.h"

namespace smoothlab::data {

/// Each x > 0 draws a factor from [max(0, 1 − x), 1 + x]; 0 leaves the image as it is. timm's default is 0.4.
struct ColourJitterOptions {
  double brightness = 0, contrast = 0, saturation = 0;
  bool any() const { return brightness > 0 || contrast > 0 || saturation > 0; }
};

/// What happens to the colours of one image: three changes, in a drawn order.
struct ColourJitter {
  enum class Change : uint8_t { brightness, contrast, saturation };
  std::array<Change, 3> order = {Change::brightness, Change::contrast, Change::saturation};
  float brightness = 1, contrast = 1, saturation = 1;
};

/// Every order is equally likely. Uses draws 7 … 10 of `random`, one a factor and one for the order, so that
/// switching one on changes no other.
ColourJitter draw_jitter(const AddressedRandom& random, const ColourJitterOptions& options);

/// Changes `pixels` of uint8 [pixels, 3] in place, as torchvision does with images of PIL: each channel goes
/// from a grey value, v → g + factor·(v − g), cut to whole numbers of 0 … 255. The grey value is 0 for
/// brightness, the image's mean grey (rounded) for contrast, and the pixel's own grey (ITU-R 601) for
/// saturation. Hue is left alone, which is what timm's 0.4 does too.
void jitter(const ColourJitter& how, int64_t pixels, uint8_t* rgb);

}  // namespace smoothlab::data
