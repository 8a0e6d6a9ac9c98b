#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/colour_jitter.h"
#include "data/dataset.h"
#include "data/image_crops.h"
#include "data/jpeg_image.h"
#include "data/resize.h"

namespace smoothlab::data {

/// v·scale + offset of each channel, v in 0 … 255.
struct ChannelScaling {
  float scale[3] = {1, 1, 1}, offset[3] = {0, 0, 0};
  /// To [−1, 1].
  static ChannelScaling inception();
  /// By ImageNet's mean (0.485, 0.456, 0.406) and deviation (0.229, 0.224, 0.225) of v / 255.
  static ChannelScaling imagenet();
};

/// uint8 [height, width, 3] to float [height, width, 3], left and right exchanged where so wanted.
void scale_channels(const uint8_t* rgb, int64_t height, int64_t width, bool mirrored,
                    const ChannelScaling& scaling, float* out);

/// How a JPEG becomes the input of a network.
struct JpegAugmentOptions {
  int64_t height = 299, width = 299;
  RandomCropOptions crop;
  bool flip = true;
  ColourJitterOptions jitter;
  double centre = 0.875;  ///< fraction of the central crop
  CentreShape centre_shape = CentreShape::as_image;
  Filter filter = Filter::bilinear;
  /// Whether a crop of twice the output's size or more may be made smaller while it is decoded. Faster for
  /// large images, and not what PIL gives: ImageNet's at 128 x 128 differ by 1 of 255 on average.
  bool scaled_decoding = true;
  ChannelScaling scaling = ChannelScaling::inception();
  JpegLimits limits;
};

/// From the bytes of a JPEG to an input. In training: random crop, resize, colour jitter, flip, scaling, with
/// numbers addressed by (seed, Purpose::augmentation, epoch, sample); otherwise the central crop, resized and
/// scaled. Thread-safe: the same bits whoever calls, where and when.
class JpegAugmentation {
 public:
  /// The caller's, one a thread, so that memory is used again.
  struct Scratch {
    std::vector<uint8_t> decoded, resized;
    ResizeScratch resize;
  };

  /// Throws UsageError for options that make no sense.
  JpegAugmentation(const JpegAugmentOptions& options, uint64_t seed);

  int64_t out_height() const { return options_.height; }
  int64_t out_width() const { return options_.width; }

  /// out: float [height, width, 3], the caller's. `where` names the file in errors. Throws DataError.
  void apply(const uint8_t* bytes, size_t size, const std::string& where, const SampleAddress& address,
             Augment augment, Scratch& scratch, float* out) const;

 private:
  JpegAugmentOptions options_;
  uint64_t seed_;
};

}  // namespace smoothlab::data
