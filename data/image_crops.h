#pragma once

#include <cstdint>

#include "cluster/addressed_random.h"
#include "data/image_view.h"

namespace smoothlab::data {

/// Bounds of random crops: Inception's area (Szegedy et al. 2015, Sec. 6), of at least 5 % of the image.
struct RandomCropOptions {
  double least_area = 0.05, most_area = 1;
  double least_aspect = 3.0 / 4, most_aspect = 4.0 / 3;  ///< width / height
  int tries = 10;
};

/// A crop whose area is uniform in [least, most] of the image's and whose aspect is log-uniform, at a uniform
/// place: the first of `tries` that fits, else the largest central one within the bounds of aspect. The
/// logarithm, as in torchvision and timm, makes upright and lying crops equally likely; TensorFlow's sampler
/// draws the height uniformly from what area and aspect leave to it, and differs little; which the paper took
/// it does not say. Uses draws 16 … 16 + 4·tries − 1 of `random`. height, width ≥ 1.
PixelBox random_crop(const AddressedRandom& random, int64_t height, int64_t width,
                     const RandomCropOptions& options);

enum class CentreShape {
  as_image,  ///< TensorFlow's: the fraction of either side, not rounded to whole pixels
  square     ///< torchvision's and timm's: the fraction of the shorter side, both ways
};

/// Of what a crop becomes, in pixels.
struct OutputSize {
  int64_t height = 0, width = 0;
};

/// The central part of an image that evaluation looks at; fraction in (0, 1], 0.875 in all of the above. For
/// as_image not less than a pixel. `square` is what is left of Resize(out / fraction) and CenterCrop(out),
/// which round: the shorter side to ⌊out / fraction⌋ pixels, the longer by as much and down, the place to
/// whole pixels of these. Of 299 at 0.875 that is 299/341 of the shorter side.
Box central_crop(int64_t height, int64_t width, double fraction, CentreShape shape, const OutputSize& out);

/// The whole pixels that a box within an image touches.
PixelBox pixels_of(const Box& box, int64_t height, int64_t width);

/// Whether a sample is mirrored: one half. Uses draw 6.
bool draw_flip(const AddressedRandom& random);

}  // namespace smoothlab::data
