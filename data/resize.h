#pragma once

#include <cstdint>
#include <vector>

#include "data/image_view.h"

namespace smoothlab::data {

/// Triangle of half-width 1; Keys' cubic with a = −0.5, half-width 2.
enum class Filter { bilinear, bicubic };

/// The pixels that an output pixel along one axis is made of. Half-pixel centres: output i looks at from +
/// (i + ½)·length / out. Where the axis shrinks the filter is stretched by as much, so that every pixel
/// counts; what of it lies outside the image is left out and the rest has weights of sum 1.
struct ResizeTaps {
  int64_t room = 0;             ///< weights that are kept of an output
  std::vector<int32_t> first;   ///< [out] pixel of its first weight
  std::vector<int32_t> count;   ///< [out]
  std::vector<int32_t> weight;  ///< [out, room] in units of 2⁻²²

  /// [from, from + length) of an axis of `size` pixels to `out` of them.
  void set(double from, double length, int64_t size, int64_t out, Filter filter);
};

/// The caller's, one a thread, so that memory is used again.
struct ResizeScratch {
  ResizeTaps columns, rows;
  std::vector<uint8_t> narrowed, last_row;
};

/// Pixels beyond a box that count in its resizing: along a side of `length` pixels that becomes `out`.
int64_t pixels_around(Filter filter, double length, int64_t out);

/// A box of an image to [height, width, 3], along rows first and rounded to 0…255 in between: what PIL's
/// Image.resize(size, filter, box) gives, bit for bit where the box is of whole pixels (PIL keeps others in
/// single precision, which is up to 1 of 255), on every processor. Pixels around the box do count, so who
/// wants the box alone gives a view of it alone. Throws UsageError for an empty box or one that leaves the
/// image, and for an empty output.
void resize(const ImageView& image, const Box& box, Filter filter, int64_t height, int64_t width,
            ResizeScratch& scratch, uint8_t* out);
/// The same without the last rounding and clipping: a little below 0 or above 255 for bicubic.
void resize(const ImageView& image, const Box& box, Filter filter, int64_t height, int64_t width,
            ResizeScratch& scratch, float* out);

}  // namespace smoothlab::data
