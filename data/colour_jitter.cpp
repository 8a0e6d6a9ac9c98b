#include "data/colour_jitter.h"

#include <algorithm>
#include <utility>

#include "cluster/vector_clones.h"

namespace smoothlab::data {
namespace {

enum Draw : uint32_t { brightness_factor = 7, contrast_factor, saturation_factor, order_of_changes };

/// As PIL weighs the channels, in units of 2⁻¹⁶.
inline int32_t grey_of(const uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

inline uint8_t blend(int32_t grey, int32_t value, float factor) {
  const float mixed = static_cast<float>(grey) + factor * static_cast<float>(value - grey);
  return static_cast<uint8_t>(std::min(255.0f, std::max(0.0f, mixed)));
}

int32_t mean_grey(const uint8_t* rgb, int64_t pixels) {
  int64_t sum = 0;
  for (int64_t i = 0; i < pixels; ++i) sum += grey_of(rgb + 3 * i);
  return static_cast<int32_t>((2 * sum + pixels) / (2 * pixels));
}

SMOOTHLAB_VECTOR_CLONES
void towards(int32_t grey, float factor, int64_t count, uint8_t* values) {
  for (int64_t i = 0; i < count; ++i) values[i] = blend(grey, values[i], factor);
}

SMOOTHLAB_VECTOR_CLONES
void towards_own_grey(float factor, int64_t pixels, uint8_t* rgb) {
  for (int64_t i = 0; i < pixels; ++i) {
    const int32_t grey = grey_of(rgb + 3 * i);
    for (int c = 0; c < 3; ++c) rgb[3 * i + c] = blend(grey, rgb[3 * i + c], factor);
  }
}

}  // namespace

ColourJitter draw_jitter(const AddressedRandom& random, const ColourJitterOptions& options) {
  const auto factor = [&](double most, uint32_t draw) {
    const double low = std::max(0.0, 1 - most), high = 1 + most;
    return most > 0 ? static_cast<float>(low + (high - low) * random.uniform(draw)) : 1.0f;
  };
  ColourJitter how;
  how.brightness = factor(options.brightness, brightness_factor);
  how.contrast = factor(options.contrast, contrast_factor);
  how.saturation = factor(options.saturation, saturation_factor);
  const uint64_t order = random.below(6, order_of_changes);
  std::swap(how.order[0], how.order[order % 3]);
  std::swap(how.order[1], how.order[1 + order / 3]);
  return how;
}

void jitter(const ColourJitter& how, int64_t pixels, uint8_t* rgb) {
  if (pixels == 0) return;
  for (const ColourJitter::Change change : how.order) {
    if (change == ColourJitter::Change::brightness && how.brightness != 1)
      towards(0, how.brightness, 3 * pixels, rgb);
    if (change == ColourJitter::Change::contrast && how.contrast != 1)
      towards(mean_grey(rgb, pixels), how.contrast, 3 * pixels, rgb);
    if (change == ColourJitter::Change::saturation && how.saturation != 1)
      towards_own_grey(how.saturation, pixels, rgb);
  }
}

}  // namespace smoothlab::data
