#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "data/task.h"

namespace smoothlab::data {

/// Turns raw images into network inputs. Every random number is addressed by (seed, Purpose::augmentation,
/// epoch, sample) with a fixed draw for each transform, so that switching one on never changes another:
///   draw 0 crop top, 1 crop left, 2 flip, 3 shift, 4 brightness, 5 contrast.
///
/// Order: pad, crop, flip, shift, brightness, contrast, normalisation. Geometry works on 0…255 with zeros
/// coming in; brightness and contrast are not clipped, as in TensorFlow's tutorial on floating-point images.
/// Without training, geometry is the central crop and only normalisation follows. Padding and then cropping
/// back to the original side therefore leaves an evaluated image as it is.
///
/// All that follows the geometry is one affine map a channel, whose coefficients come from exact integer
/// sums.
class Augmentation {
 public:
  struct Geometry {
    int64_t top = 0, left = 0;  ///< corner of the crop in the image; negative within the padding
    bool flip = false;
    int64_t down = 0, right = 0;
  };
  /// What happens to one sample in one epoch.
  struct Variation {
    Geometry geometry;
    double brightness = 0, contrast = 1;
  };
  /// v·scale[c] + offset[c]
  struct Affine {
    std::vector<double> scale, offset;
  };

  /// Images are [height, width, channels] uint8. Throws UsageError for options that cannot be applied to
  /// them.
  Augmentation(const AugmentOptions& options, uint64_t seed, int64_t height, int64_t width, int64_t channels);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }
  int64_t out_height() const { return out_height_; }
  int64_t out_width() const { return out_width_; }

  /// image: uint8 [H, W, C]. out: float [C, h, w], or [h, w, C] with channels_last. scratch is the caller's,
  /// reused between calls.
  void apply(const uint8_t* image, const SampleAddress& address, Augment augment, bool channels_last,
             std::vector<uint8_t>& scratch, float* out) const;

  // The parts of apply().

  Variation variation(const SampleAddress& address, Augment augment) const;
  /// Where the pixels of the patch come from: rows [h] and columns [w] of the image, −1 for one that is zero.
  void sources(const Geometry& geometry, int64_t* rows, int64_t* columns) const;
  /// image: uint8 [H, W, C].
  Affine tone(const uint8_t* image, const Variation& variation) const;

 private:
  enum class Normalize { unit, per_image, none };

  /// The part of the image that shows in the patch, and where.
  struct Window {
    int64_t top, left, height, width;  ///< in the image
    int64_t to_row, to_column;         ///< of its corner in the patch
  };

  Geometry central() const;
  Window window(const Geometry& geometry) const;
  void cut(const uint8_t* image, const Geometry& geometry, uint8_t* patch) const;
  /// Means over the patch of the values and of their squares, [C] each.
  void measure(const uint8_t* image, const Geometry& geometry, double* mean, double* square) const;

  AugmentOptions options_;
  Normalize normalize_;
  uint64_t seed_;
  int64_t height_, width_, channels_, pad_, shift_, out_height_, out_width_;
};

}  // namespace smoothlab::data
