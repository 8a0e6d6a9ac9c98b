#include "data/image_crops.h"

#include <algorithm>
#include <cmath>

namespace smoothlab::data {
namespace {

// Apart from those of Augmentation, whose purpose they share.
constexpr uint32_t flip_side = 6, first_try = 16;
enum DrawOfTry : uint32_t { area, aspect, top, left, draws_of_try };

/// Along one side: what CenterCrop(out) takes of an image that Resize(out / fraction) made.
void centre_of(double side, double shorter, double fraction, double out, double& begin, double& length) {
  const double resized = std::floor(std::floor(out / fraction) * side / shorter);
  const double pixel = side / resized;
  begin = std::nearbyint((resized - out) / 2) * pixel;  // of two places as near the even one, as Python does
  length = out * pixel;
}

}  // namespace

PixelBox random_crop(const AddressedRandom& random, int64_t height, int64_t width,
                     const RandomCropOptions& options) {
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  const double low = std::log(options.least_aspect), high = std::log(options.most_aspect);
  PixelBox box;
  for (int i = 0; i < options.tries; ++i) {
    const uint32_t draw = first_try + static_cast<uint32_t>(i) * draws_of_try;
    const double share =
        options.least_area + (options.most_area - options.least_area) * random.uniform(draw + area);
    const double ratio = std::exp(low + (high - low) * random.uniform(draw + aspect));
    box.height = std::lround(std::sqrt(share * h * w / ratio));
    box.width = std::lround(std::sqrt(share * h * w * ratio));
    if (box.height < 1 || box.width < 1 || box.height > height || box.width > width) continue;
    box.top = static_cast<int64_t>(random.below(height - box.height + 1, draw + top));
    box.left = static_cast<int64_t>(random.below(width - box.width + 1, draw + left));
    return box;
  }
  const double ratio = std::clamp(w / h, options.least_aspect, options.most_aspect);
  box.height = std::clamp<int64_t>(std::lround(w / ratio), 1, height);
  box.width = std::clamp<int64_t>(std::lround(h * ratio), 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

Box central_crop(int64_t height, int64_t width, double fraction, CentreShape shape, const OutputSize& out) {
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  Box box;
  if (shape == CentreShape::square) {
    const double shorter = std::min(h, w);
    centre_of(h, shorter, fraction, static_cast<double>(out.height), box.top, box.height);
    centre_of(w, shorter, fraction, static_cast<double>(out.width), box.left, box.width);
    return box;
  }
  box.height = std::max(1.0, fraction * h);
  box.width = std::max(1.0, fraction * w);
  box.top = (h - box.height) / 2;
  box.left = (w - box.width) / 2;
  return box;
}

PixelBox pixels_of(const Box& box, int64_t height, int64_t width) {
  PixelBox pixels;
  pixels.top = std::clamp<int64_t>(static_cast<int64_t>(std::floor(box.top)), 0, height - 1);
  pixels.left = std::clamp<int64_t>(static_cast<int64_t>(std::floor(box.left)), 0, width - 1);
  pixels.height = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(box.top + box.height)) - pixels.top, 1,
                                      height - pixels.top);
  pixels.width = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(box.left + box.width)) - pixels.left, 1,
                                     width - pixels.left);
  return pixels;
}

bool draw_flip(const AddressedRandom& random) {
  return random.below(2, flip_side) == 1;
}

}  // namespace smoothlab::data
