#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/image_view.h"

namespace smoothlab::data {

/// What a file may ask for before it is refused.
struct JpegLimits {
  int64_t most_pixels = int64_t{1} << 27;  ///< height · width; 10,000 × 10,000 is within
  int64_t most_bytes =
      int64_t{1} << 30;  ///< that the decoder keeps (of a progressive image all coefficients)
};

/// A JPEG file in memory, decoded as libjpeg does by default (accurate inverse DCT, smooth chroma), to RGB.
/// Greyscale is spread to three channels; four channels are taken as Adobe writes them, inverted, and
/// multiplied out: r = c·k / 255, rounded. The orientation that EXIF tells is passed over. These are PIL's
/// ways, and so those of training in Python.
///
/// Errors are DataErrors in libjpeg's words. Where libjpeg would go on with a warning although data are
/// missing or unreadable, the image counts as damaged; so does one without an end marker. Damage below the
/// rows that are decoded is not seen. Not thread-safe; objects know nothing of one another.
class JpegImage {
 public:
  /// Reads the header. `bytes` must live as long. `where` names the file in errors. Throws DataError, for an
  /// image larger than the limits too, before memory is taken for it.
  JpegImage(const uint8_t* bytes, size_t size, std::string where, const JpegLimits& limits = {});
  ~JpegImage();
  JpegImage(const JpegImage&) = delete;
  JpegImage& operator=(const JpegImage&) = delete;

  int64_t height() const;
  int64_t width() const;
  /// Channels of the file: 1, 3 or 4.
  int channels() const;
  bool progressive() const;

  /// A region as decoded: the smallest window of the (scaled) image that covers it.
  struct Region {
    ImageView image;  ///< in `memory`
    Box box;          ///< the region in units of `image`; within it
  };
  /// Decodes the rows down to the end of a region, and of them the columns near it. denominator: 1, 2, 4 or
  /// 8, by which the image is made smaller while it is decoded. With 1 the pixels are exactly those of the
  /// whole image; so they are with others, where a scaled pixel covers denominator² whole ones. `memory` is
  /// grown to 4 bytes a pixel at most, and may be used again. Throws DataError; UsageError for a region
  /// outside.
  Region decode(const PixelBox& region, int denominator, std::vector<uint8_t>& memory);

 private:
  struct Decompressor;
  void read_header();
  [[noreturn]] void fail() const;

  const uint8_t* bytes_;
  size_t size_;
  std::string where_;
  std::unique_ptr<Decompressor> decompressor_;
  bool at_header_ = false;
};

/// The largest denominator of JpegImage::decode() with which a region keeps at least the size of the output
/// that it is to be resized to; 1 where it is smaller anyway.
int scaling_denominator(int64_t region_height, int64_t region_width, int64_t height, int64_t width);

}  // namespace smoothlab::data
