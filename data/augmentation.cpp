#include "data/augmentation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "cluster/vector_clones.h"

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

/// Adds the values and the squares of each column of bytes; at most 65536 rows, so that nothing overflows.
SMOOTHLAB_VECTOR_CLONES
void add_columns(const uint8_t* bytes, int64_t stride, int64_t rows, int64_t columns, uint32_t* sums,
                 uint32_t* squares) {
  for (int64_t y = 0; y < rows; ++y, bytes += stride)
    for (int64_t x = 0; x < columns; ++x) {
      const uint16_t value = bytes[x];
      const auto square = static_cast<uint16_t>(value * value);
      sums[x] += value;
      squares[x] += square;
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

Augmentation::Window Augmentation::window(const Geometry& geometry) const {
  const auto& [top, left, flip, down, right] = geometry;
  // Of the crop before flip and shift, the part that lies in the image and is still there after the shift.
  const int64_t along = flip ? -right : right;
  const int64_t first_row = std::max({int64_t{0}, -top, -down});
  const int64_t last_row = std::min({out_height_, height_ - top, out_height_ - down});
  const int64_t first = std::max({int64_t{0}, -left, -along});
  const int64_t last = std::min({out_width_, width_ - left, out_width_ - along});
  Window window;
  window.height = std::max<int64_t>(0, last_row - first_row);
  window.width = std::max<int64_t>(0, last - first);
  window.top = first_row + top;
  window.left = first + left;
  window.to_row = first_row + down;
  window.to_column = (flip ? out_width_ - last : first) + right;
  return window;
}

void Augmentation::cut(const uint8_t* image, const Geometry& geometry, uint8_t* patch) const {
  std::memset(patch, 0, out_height_ * out_width_ * channels_);
  const Window seen = window(geometry);
  for (int64_t y = 0; y < seen.height; ++y) {
    const uint8_t* from = image + ((seen.top + y) * width_ + seen.left) * channels_;
    uint8_t* target = patch + ((seen.to_row + y) * out_width_ + seen.to_column) * channels_;
    if (!geometry.flip)
      std::memcpy(target, from, seen.width * channels_);
    else if (channels_ == 3)
      copy_mirrored<3>(from, seen.width, 3, target);
    else
      copy_mirrored<0>(from, seen.width, channels_, target);
  }
}

void Augmentation::measure(const uint8_t* image, const Geometry& geometry, double* mean,
                           double* square) const {
  constexpr int64_t most_rows = 65536, most_columns = 256;
  const Window seen = window(geometry);
  std::vector<uint64_t> sums(channels_), squares(channels_);
  for (int64_t y = 0; y < seen.height; y += most_rows)
    for (int64_t x = 0; x < seen.width * channels_; x += most_columns) {
      const int64_t columns = std::min(most_columns, seen.width * channels_ - x);
      std::array<uint32_t, most_columns> column_sums{}, column_squares{};
      add_columns(image + ((seen.top + y) * width_ + seen.left) * channels_ + x, width_ * channels_,
                  std::min(most_rows, seen.height - y), columns, column_sums.data(), column_squares.data());
      int64_t channel = x % channels_;
      for (int64_t i = 0; i < columns; ++i) {
        sums[channel] += column_sums[i];
        squares[channel] += column_squares[i];
        if (++channel == channels_) channel = 0;
      }
    }
  const auto pixels = static_cast<double>(out_height_ * out_width_);
  for (int64_t c = 0; c < channels_; ++c) {
    mean[c] = static_cast<double>(sums[c]) / pixels;
    square[c] = static_cast<double>(squares[c]) / pixels;
  }
}

void Augmentation::sources(const Geometry& geometry, int64_t* rows, int64_t* columns) const {
  for (int64_t y = 0; y < out_height_; ++y) {
    const int64_t of_crop = y - geometry.down, row = of_crop + geometry.top;
    const bool inside = of_crop >= 0 && of_crop < out_height_ && row >= 0 && row < height_;
    rows[y] = inside ? row : -1;
  }
  for (int64_t x = 0; x < out_width_; ++x) {
    const int64_t of_crop = x - geometry.right;
    const int64_t column = geometry.left + (geometry.flip ? out_width_ - 1 - of_crop : of_crop);
    const bool inside = of_crop >= 0 && of_crop < out_width_ && column >= 0 && column < width_;
    columns[x] = inside ? column : -1;
  }
}

Augmentation::Affine Augmentation::tone(const uint8_t* image, const Variation& variation) const {
  const double brightness = variation.brightness, contrast = variation.contrast;
  std::vector<double> mean(channels_, 0), square(channels_, 0);
  if (normalize_ == Normalize::per_image || contrast != 1)
    measure(image, variation.geometry, mean.data(), square.data());
  Affine affine;
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
    const double least = 1.0 / std::sqrt(static_cast<double>(out_height_ * out_width_ * channels_));
    factor = 1.0 / std::max(std::sqrt(std::max(variance, 0.0)), least);
  }
  for (int64_t c = 0; c < channels_; ++c) {
    affine.scale[c] *= factor;
    affine.offset[c] = (affine.offset[c] - centre) * factor;
  }
  return affine;
}

Augmentation::Variation Augmentation::variation(const SampleAddress& address, Augment augment) const {
  Variation varied;
  Geometry& geometry = varied.geometry;
  geometry = central();
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
      varied.brightness = options_.brightness * (2 * random.uniform(brightness_delta) - 1);
    if (options_.contrast_low != 1 || options_.contrast_high != 1)
      varied.contrast = options_.contrast_low +
                        (options_.contrast_high - options_.contrast_low) * random.uniform(contrast_factor);
  }
  return varied;
}

void Augmentation::apply(const uint8_t* image, const SampleAddress& address, Augment augment,
                         bool channels_last, std::vector<uint8_t>& scratch, float* out) const {
  const Variation varied = variation(address, augment);
  scratch.resize(out_height_ * out_width_ * channels_);
  cut(image, varied.geometry, scratch.data());
  const Affine affine = tone(image, varied);
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
