#include "data/augmentation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::data {
namespace {

enum Draw : uint32_t { crop_top, crop_left, flip_side, shift_place, brightness_delta, contrast_factor };

void require(bool holds, const std::string& what, const char* key, const std::string& remedy) {
  if (!holds) throw UsageError(what, fmt::format("task.augment.{}", key), remedy);
}

/// Copies `count` pixels, mirrored.
template <int64_t fixed_channels>
void copy_mirrored(const uint8_t* from, int64_t count, int64_t channels, uint8_t* to) {
  const int64_t depth = fixed_channels ? fixed_channels : channels;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t c = 0; c < depth; ++c) to[(count - 1 - i) * depth + c] = from[i * depth + c];
}

template <int64_t fixed_channels>
void sum_channels(const uint8_t* patch, int64_t pixels, int64_t channels, int64_t* sums, int64_t* squares) {
  const int64_t depth = fixed_channels ? fixed_channels : channels;
  for (int64_t c = 0; c < depth; ++c) {
    uint64_t sum = 0, square = 0;
    for (int64_t i = 0; i < pixels; ++i) {
      const uint32_t value = patch[i * depth + c];
      sum += value;
      const uint32_t squared = value * value;
      square += squared;
    }
    sums[c] = static_cast<int64_t>(sum);
    squares[c] = static_cast<int64_t>(square);
  }
}

template <int64_t fixed_channels>
void write(const uint8_t* patch, int64_t pixels, int64_t channels, const float* scale, const float* offset,
           bool channels_last, float* out) {
  const int64_t depth = fixed_channels ? fixed_channels : channels;
  if (channels_last) {
    for (int64_t i = 0; i < pixels; ++i)
      for (int64_t c = 0; c < depth; ++c)
        out[i * depth + c] = static_cast<float>(patch[i * depth + c]) * scale[c] + offset[c];
    return;
  }
  for (int64_t c = 0; c < depth; ++c) {
    float* plane = out + c * pixels;
    for (int64_t i = 0; i < pixels; ++i)
      plane[i] = static_cast<float>(patch[i * depth + c]) * scale[c] + offset[c];
  }
}

}  // namespace

Augmentation::Augmentation(const AugmentOptions& options, uint64_t seed, int64_t height, int64_t width,
                           int64_t channels)
    : options_(options),
      normalize_(Normalize::unit),
      seed_(seed),
      height_(height),
      width_(width),
      channels_(channels),
      pad_(options.pad),
      shift_(options.shift),
      out_height_(options.crop ? options.crop : height),
      out_width_(options.crop ? options.crop : width) {
  const AugmentOptions& o = options;
  const int64_t largest = std::min(height, width) + 2 * pad_;
  require(o.pad >= 0 && o.pad <= 4096, fmt::format("pad {} is out of range", o.pad), "pad",
          "choose 0 to 4096");
  require(o.crop >= 0, fmt::format("crop {} is negative", o.crop), "crop",
          "choose the side in pixels, 0 for none");
  require(!o.pad || o.crop, "pad without crop", "pad", fmt::format("set crop, such as crop: {}", height));
  require(o.crop <= largest,
          fmt::format("crop {} is larger than a {}x{} image padded by {}", o.crop, height, width, o.pad),
          "crop", fmt::format("choose at most {}", largest));
  require(o.shift >= 0 && o.shift < std::min(out_height_, out_width_),
          fmt::format("shift {} is out of range", o.shift), "shift",
          fmt::format("choose 0 to {}", std::min(out_height_, out_width_) - 1));
  require(std::isfinite(o.brightness) && o.brightness >= 0,
          fmt::format("brightness {} is out of range", o.brightness), "brightness",
          "choose 0 or more, on the 0 to 255 scale");
  require(std::isfinite(o.contrast_high) && o.contrast_low >= 0 && o.contrast_low <= o.contrast_high,
          fmt::format("contrast from {} to {} is no range", o.contrast_low, o.contrast_high), "contrast",
          "choose 0 <= low <= high");
  if (o.normalize == "per_image")
    normalize_ = Normalize::per_image;
  else if (o.normalize == "none")
    normalize_ = Normalize::none;
  else
    require(o.normalize == "unit", fmt::format("unknown normalisation '{}'", o.normalize), "normalize",
            "choose unit, per_image or none");
}

Augmentation::Geometry Augmentation::central() const {
  Geometry geometry;
  // Rounded towards the top left, within the padding too.
  geometry.top = (height_ + 2 * pad_ - out_height_) / 2 - pad_;
  geometry.left = (width_ + 2 * pad_ - out_width_) / 2 - pad_;
  return geometry;
}

void Augmentation::cut(const uint8_t* image, const Geometry& geometry, uint8_t* patch) const {
  std::memset(patch, 0, out_height_ * out_width_ * channels_);
  // Columns of the crop before flip and shift, [0, out_width), that lie in the image.
  int64_t first = std::max<int64_t>(0, -geometry.left);
  int64_t last = std::min(out_width_, width_ - geometry.left);
  // Of those, columns that are still there after the shift.
  const int64_t right = geometry.flip ? -geometry.right : geometry.right;
  first = std::max(first, -right);
  last = std::min(last, out_width_ - right);
  if (first >= last) return;
  const int64_t to = geometry.flip ? out_width_ - last + geometry.right : first + geometry.right;
  for (int64_t y = 0; y < out_height_; ++y) {
    const int64_t row = y - geometry.down;
    if (row < 0 || row >= out_height_) continue;
    const int64_t source = row + geometry.top;
    if (source < 0 || source >= height_) continue;
    const uint8_t* from = image + (source * width_ + first + geometry.left) * channels_;
    uint8_t* target = patch + (y * out_width_ + to) * channels_;
    if (!geometry.flip)
      std::memcpy(target, from, (last - first) * channels_);
    else if (channels_ == 3)
      copy_mirrored<3>(from, last - first, 3, target);
    else
      copy_mirrored<0>(from, last - first, channels_, target);
  }
}

Augmentation::Affine Augmentation::tone(const uint8_t* patch, double brightness, double contrast) const {
  Affine affine;
  const int64_t pixels = out_height_ * out_width_;
  std::vector<double> mean(channels_, 0), square(channels_, 0);
  if (normalize_ == Normalize::per_image || contrast != 1) {
    std::vector<int64_t> sums(channels_), squares(channels_);
    if (channels_ == 3)
      sum_channels<3>(patch, pixels, 3, sums.data(), squares.data());
    else if (channels_ == 1)
      sum_channels<1>(patch, pixels, 1, sums.data(), squares.data());
    else
      sum_channels<0>(patch, pixels, channels_, sums.data(), squares.data());
    for (int64_t c = 0; c < channels_; ++c) {
      mean[c] = static_cast<double>(sums[c]) / static_cast<double>(pixels);
      square[c] = static_cast<double>(squares[c]) / static_cast<double>(pixels);
    }
  }
  // (v + brightness − m)·contrast + m with m = mean[c] + brightness.
  affine.scale.assign(channels_, contrast);
  affine.offset.resize(channels_);
  for (int64_t c = 0; c < channels_; ++c) affine.offset[c] = brightness + (1 - contrast) * mean[c];

  double factor = 1, centre = 0;
  if (normalize_ == Normalize::unit) factor = 1.0 / 255;
  if (normalize_ == Normalize::per_image) {
    // Of the values after brightness and contrast: channel means are mean[c] + brightness.
    const double depth = static_cast<double>(channels_);
    for (int64_t c = 0; c < channels_; ++c) centre += (mean[c] + brightness) / depth;
    double variance = 0;
    for (int64_t c = 0; c < channels_; ++c) {
      const double within = contrast * contrast * (square[c] - mean[c] * mean[c]);
      const double between = mean[c] + brightness - centre;
      variance += (within + between * between) / depth;
    }
    const double least = 1.0 / std::sqrt(static_cast<double>(pixels * channels_));
    factor = 1.0 / std::max(std::sqrt(std::max(variance, 0.0)), least);
  }
  for (int64_t c = 0; c < channels_; ++c) {
    affine.scale[c] *= factor;
    affine.offset[c] = (affine.offset[c] - centre) * factor;
  }
  return affine;
}

void Augmentation::apply(const uint8_t* image, const SampleAddress& address, Augment augment,
                         bool channels_last, std::vector<uint8_t>& scratch, float* out) const {
  Geometry geometry = central();
  double brightness = 0, contrast = 1;
  if (augment == Augment::training) {
    const AddressedRandom random(seed_, Purpose::augmentation, address.epoch, address.sample);
    if (options_.crop) {
      geometry.top = static_cast<int64_t>(random.below(height_ + 2 * pad_ - out_height_ + 1, crop_top));
      geometry.left = static_cast<int64_t>(random.below(width_ + 2 * pad_ - out_width_ + 1, crop_left));
      geometry.top -= pad_;
      geometry.left -= pad_;
    }
    if (options_.flip) geometry.flip = random.below(2, flip_side) == 1;
    if (shift_) {
      const int64_t places = 2 * shift_ + 1;
      const int64_t place = static_cast<int64_t>(random.below(places * places, shift_place));
      geometry.down = place / places - shift_;
      geometry.right = place % places - shift_;
    }
    if (options_.brightness > 0)
      brightness = options_.brightness * (2 * random.uniform(brightness_delta) - 1);
    if (options_.contrast_low != 1 || options_.contrast_high != 1)
      contrast = options_.contrast_low +
                 (options_.contrast_high - options_.contrast_low) * random.uniform(contrast_factor);
  }
  scratch.resize(out_height_ * out_width_ * channels_);
  cut(image, geometry, scratch.data());
  const Affine affine = tone(scratch.data(), brightness, contrast);
  const std::vector<float> scale(affine.scale.begin(), affine.scale.end());
  const std::vector<float> offset(affine.offset.begin(), affine.offset.end());
  const int64_t pixels = out_height_ * out_width_;
  if (channels_ == 3)
    write<3>(scratch.data(), pixels, 3, scale.data(), offset.data(), channels_last, out);
  else if (channels_ == 1)
    write<1>(scratch.data(), pixels, 1, scale.data(), offset.data(), channels_last, out);
  else
    write<0>(scratch.data(), pixels, channels_, scale.data(), offset.data(), channels_last, out);
}

}  // namespace smoothlab::data
