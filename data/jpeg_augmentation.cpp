#include "data/jpeg_augmentation.h"

#include <fmt/format.h>

#include <cmath>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "cluster/vector_clones.h"

namespace smoothlab::data {
namespace {

void require(bool holds, const std::string& what, const std::string& remedy) {
  if (!holds) throw UsageError(what, "augmentation of JPEG images", remedy);
}

SMOOTHLAB_VECTOR_CLONES
void scale_row(const uint8_t* row, int64_t width, const ChannelScaling& scaling, float* out) {
  const ChannelScaling by = scaling;
  for (int64_t x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c)
      out[3 * x + c] = static_cast<float>(row[3 * x + c]) * by.scale[c] + by.offset[c];
}

SMOOTHLAB_VECTOR_CLONES
void scale_mirrored_row(const uint8_t* row, int64_t width, const ChannelScaling& scaling, float* out) {
  const ChannelScaling by = scaling;
  for (int64_t x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c)
      out[3 * x + c] = static_cast<float>(row[3 * (width - 1 - x) + c]) * by.scale[c] + by.offset[c];
}

Box grown(const Box& box, int64_t rows, int64_t columns) {
  const auto above = static_cast<double>(rows), beside = static_cast<double>(columns);
  return {box.top - above, box.left - beside, box.height + 2 * above, box.width + 2 * beside};
}

}  // namespace

ChannelScaling ChannelScaling::inception() {
  ChannelScaling scaling;
  for (int c = 0; c < 3; ++c) {
    scaling.scale[c] = 2.0f / 255;
    scaling.offset[c] = -1;
  }
  return scaling;
}

ChannelScaling ChannelScaling::imagenet() {
  constexpr double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
  ChannelScaling scaling;
  for (int c = 0; c < 3; ++c) {
    scaling.scale[c] = static_cast<float>(1 / (255 * deviation[c]));
    scaling.offset[c] = static_cast<float>(-mean[c] / deviation[c]);
  }
  return scaling;
}

void scale_channels(const uint8_t* rgb, int64_t height, int64_t width, bool mirrored,
                    const ChannelScaling& scaling, float* out) {
  for (int64_t y = 0; y < height; ++y)
    (mirrored ? scale_mirrored_row : scale_row)(rgb + y * 3 * width, width, scaling, out + y * 3 * width);
}

JpegAugmentation::JpegAugmentation(const JpegAugmentOptions& options, uint64_t seed)
    : options_(options), seed_(seed) {
  const JpegAugmentOptions& o = options;
  require(o.height >= 1 && o.width >= 1 && o.height <= 4096 && o.width <= 4096,
          fmt::format("no output of {} x {} pixels", o.width, o.height), "choose 1 to 4096 a side");
  require(o.crop.least_area > 0 && o.crop.least_area <= o.crop.most_area && o.crop.most_area <= 1,
          fmt::format("areas from {} to {} are no range of crops", o.crop.least_area, o.crop.most_area),
          "choose 0 < least <= most <= 1");
  require(std::isfinite(o.crop.most_aspect) && o.crop.least_aspect > 0 &&
              o.crop.least_aspect <= o.crop.most_aspect,
          fmt::format("aspects from {} to {} are no range", o.crop.least_aspect, o.crop.most_aspect),
          "choose 0 < least <= most");
  require(o.crop.tries >= 0 && o.crop.tries <= 1000, fmt::format("no crops of {} tries", o.crop.tries),
          "choose 0 to 1000");
  require(o.centre > 0 && o.centre <= 1, fmt::format("no central crop of {} of an image", o.centre),
          "choose more than 0 and at most 1");
  for (const double strength : {o.jitter.brightness, o.jitter.contrast, o.jitter.saturation})
    require(std::isfinite(strength) && strength >= 0, fmt::format("no colour jitter of {}", strength),
            "choose 0 or more, such as 0.4");
}

void JpegAugmentation::apply(const uint8_t* bytes, size_t size, const std::string& where,
                             const SampleAddress& address, Augment augment, Scratch& scratch,
                             float* out) const {
  const int64_t height = options_.height, width = options_.width;
  const AddressedRandom random(seed_, Purpose::augmentation, address.epoch, address.sample);
  const bool training = augment == Augment::training;

  JpegImage image(bytes, size, where, options_.limits);
  PixelBox region;
  Box centre;
  if (training) {
    region = random_crop(random, image.height(), image.width(), options_.crop);
  } else {
    centre =
        central_crop(image.height(), image.width(), options_.centre, options_.centre_shape, {height, width});
    region = pixels_of(centre, image.height(), image.width());
  }
  const int denominator =
      options_.scaled_decoding ? scaling_denominator(region.height, region.width, height, width) : 1;
  // Where the whole image is resized before it is cut, what is around the cut counts too.
  if (!training && options_.centre_shape == CentreShape::square)
    region = pixels_of(grown(centre, pixels_around(options_.filter, centre.height, height),
                             pixels_around(options_.filter, centre.width, width)),
                       image.height(), image.width());
  JpegImage::Region decoded = image.decode(region, denominator, scratch.decoded);
  if (!training) {
    decoded.box.top += (centre.top - static_cast<double>(region.top)) / denominator;
    decoded.box.left += (centre.left - static_cast<double>(region.left)) / denominator;
    decoded.box.height = centre.height / denominator;
    decoded.box.width = centre.width / denominator;
  }

  scratch.resized.resize(height * width * 3);
  uint8_t* rgb = scratch.resized.data();
  resize(decoded.image, decoded.box, options_.filter, height, width, scratch.resize, rgb);
  if (training && options_.jitter.any()) jitter(draw_jitter(random, options_.jitter), height * width, rgb);
  scale_channels(rgb, height, width, training && options_.flip && draw_flip(random), options_.scaling, out);
}

}  // namespace smoothlab::data
