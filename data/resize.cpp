#include "data/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cluster/error.h"
#include "cluster/vector_clones.h"

namespace smoothlab::data {
namespace {

/// Weights are whole numbers, so that no processor rounds them otherwise.
constexpr int weight_bits = 22;
constexpr int32_t half = 1 << (weight_bits - 1);

double filter_value(Filter filter, double x) {
  x = std::abs(x);
  if (filter == Filter::bilinear) return std::max(0.0, 1 - x);
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/// A pixel and the first byte of the next in four lanes of one vector. What becomes of the fourth is written
/// where the next pixel comes, or into a byte of its own at the end of a row.
using Lanes = int32_t __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(16)));
using Bytes = uint8_t __attribute__((vector_size(16)));

inline __attribute__((always_inline)) Lanes load(const uint8_t* pixel) {
  uint32_t word;
  std::memcpy(&word, pixel, sizeof word);
  constexpr Words places =
      __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? Words{0, 8, 16, 24} : Words{24, 16, 8, 0};
  return reinterpret_cast<Lanes>((Words{word, word, word, word} >> places) & 255);
}

inline __attribute__((always_inline)) void store(Lanes sum, uint8_t* pixel) {
  sum >>= weight_bits;
  sum = sum < 0 ? Lanes{} : sum;
  sum = sum > 255 ? Lanes{} + 255 : sum;
#if defined(__GNUC__) && !defined(__clang__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  const Bytes low = __builtin_shuffle(reinterpret_cast<Bytes>(sum), Bytes{0, 4, 8, 12});
  std::memcpy(pixel, &low, 4);
#else
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>(sum[c]);
#endif
}

/// `rows` rows at once, each weight read once for all of them.
template <int rows>
inline __attribute__((always_inline)) void narrow(const uint8_t* const* from, const ResizeTaps& taps,
                                                  int64_t width, uint8_t* to, int64_t stride) {
  // Named here, as the bytes that are written might be any of them.
  const int32_t *first = taps.first.data(), *counts = taps.count.data(), *weight = taps.weight.data();
  const int64_t room = taps.room;
  const uint8_t* lines[rows];
  for (int r = 0; r < rows; ++r) lines[r] = from[r];
  for (int64_t x = 0; x < width; ++x, weight += room) {
    const int64_t at = 3 * static_cast<int64_t>(first[x]);
    const int32_t count = counts[x];
    Lanes sums[rows];
    for (int r = 0; r < rows; ++r) sums[r] = Lanes{} + half;
    for (int32_t i = 0; i < count; ++i)
      for (int r = 0; r < rows; ++r) sums[r] += load(lines[r] + at + 3 * i) * weight[i];
    for (int r = 0; r < rows; ++r) store(sums[r], to + r * stride + 3 * x);
  }
}

SMOOTHLAB_VECTOR_CLONES
void narrow_rows(const uint8_t* const* from, int64_t rows, const ResizeTaps& taps, int64_t width, uint8_t* to,
                 int64_t stride) {
  if (rows == 4) return narrow<4>(from, taps, width, to, stride);
  for (int64_t r = 0; r < rows; ++r) narrow<1>(from + r, taps, width, to + r * stride, stride);
}

inline void finish(int32_t sum, uint8_t& out) {
  out = static_cast<uint8_t>(std::clamp((sum + half) >> weight_bits, 0, 255));
}
inline void finish(int32_t sum, float& out) {
  out = static_cast<float>(sum) * (1.0f / (1 << weight_bits));
}

/// One row of the output, from `count` rows that lie `stride` bytes apart.
template <typename Out>
inline __attribute__((always_inline)) void merge(const uint8_t* from, int64_t stride, const int32_t* weight,
                                                 int32_t count, int64_t bytes, Out* out) {
  constexpr int64_t block = 512;
  int32_t sums[block];
  for (int64_t begin = 0; begin < bytes; begin += block) {
    const int64_t some = std::min(block, bytes - begin);
    const uint8_t* row = from + begin;
    for (int64_t x = 0; x < some; ++x) sums[x] = row[x] * weight[0];
    int32_t i = 1;
    for (; i + 1 < count; i += 2) {
      const uint8_t* one = row + i * stride;
      const uint8_t* other = one + stride;
      const int32_t w = weight[i], v = weight[i + 1];
      for (int64_t x = 0; x < some; ++x) sums[x] += one[x] * w + other[x] * v;
    }
    if (i < count)
      for (int64_t x = 0; x < some; ++x) sums[x] += row[i * stride + x] * weight[i];
    for (int64_t x = 0; x < some; ++x) finish(sums[x], out[begin + x]);
  }
}

SMOOTHLAB_VECTOR_CLONES
void merge_rows(const uint8_t* from, int64_t stride, const int32_t* weight, int32_t count, int64_t bytes,
                uint8_t* out) {
  merge(from, stride, weight, count, bytes, out);
}

SMOOTHLAB_VECTOR_CLONES
void merge_rows(const uint8_t* from, int64_t stride, const int32_t* weight, int32_t count, int64_t bytes,
                float* out) {
  merge(from, stride, weight, count, bytes, out);
}

/// Rows [first, end) of the image with as many columns as the output has; `narrowed` where they must be made.
ImageView narrow_columns(const ImageView& image, const Box& box, int64_t first, int64_t end, Filter filter,
                         int64_t width, ResizeScratch& scratch) {
  if (box.left == 0 && box.width == static_cast<double>(image.width) && width == image.width)
    return {image.pixels + first * image.stride, end - first, width, image.stride};
  ResizeTaps& taps = scratch.columns;
  taps.set(box.left, box.width, image.width, width, filter);
  // Vectors reach a byte beyond the last pixel: of all rows but the image's last that is a byte of the next.
  const int64_t stride = 3 * width + 1, bytes = 3 * image.width;
  scratch.last_row.resize(bytes + 1);
  std::memcpy(scratch.last_row.data(), image.pixels + (end - 1) * image.stride, bytes);
  if (static_cast<int64_t>(scratch.narrowed.size()) < (end - first) * stride)
    scratch.narrowed.resize((end - first) * stride);
  for (int64_t row = first; row < end; row += 4) {
    const int64_t some = std::min<int64_t>(4, end - row);
    const uint8_t* from[4];
    for (int64_t r = 0; r < some; ++r)
      from[r] = row + r == end - 1 ? scratch.last_row.data() : image.pixels + (row + r) * image.stride;
    narrow_rows(from, some, taps, width, scratch.narrowed.data() + (row - first) * stride, stride);
  }
  return {scratch.narrowed.data(), end - first, width, stride};
}

template <typename Out>
void resize_to(const ImageView& image, const Box& box, Filter filter, int64_t height, int64_t width,
               ResizeScratch& scratch, Out* out) {
  // What rounding of coordinates does to a box that touches the edge.
  constexpr double slack = 1e-6;
  if (!(box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0 &&
        box.top + box.height <= static_cast<double>(image.height) + slack &&
        box.left + box.width <= static_cast<double>(image.width) + slack) ||
      height < 1 || width < 1)
    throw UsageError(
        fmt::format("cannot resize {} x {} at ({}, {}) of an image of {} x {} to {} x {}", box.width,
                    box.height, box.left, box.top, image.width, image.height, width, height),
        "resize", "choose a box within the image, and an output that is not empty");
  ResizeTaps& taps = scratch.rows;
  taps.set(box.top, box.height, image.height, height, filter);
  const int64_t first = taps.first.front(), end = int64_t{taps.first.back()} + taps.count.back();
  const ImageView narrowed = narrow_columns(image, box, first, end, filter, width, scratch);
  for (int64_t y = 0; y < height; ++y)
    merge_rows(narrowed.pixels + (taps.first[y] - first) * narrowed.stride, narrowed.stride,
               taps.weight.data() + y * taps.room, taps.count[y], 3 * width, out + y * 3 * width);
}

/// Half the width of a filter that is stretched.
double reach_of(Filter filter, double stretch) {
  return (filter == Filter::bilinear ? 1 : 2) * stretch;
}

}  // namespace

int64_t pixels_around(Filter filter, double length, int64_t out) {
  const double stretch = std::max(1.0, length / static_cast<double>(out));
  return static_cast<int64_t>(std::ceil(reach_of(filter, stretch))) + 1;
}

void ResizeTaps::set(double from, double length, int64_t size, int64_t out, Filter filter) {
  const double scale = length / static_cast<double>(out), stretch = std::max(1.0, scale);
  const double reach = reach_of(filter, stretch);
  room = 2 * static_cast<int64_t>(std::ceil(reach)) + 1;
  first.resize(out);
  count.resize(out);
  weight.resize(out * room);
  std::vector<double> values(room);
  for (int64_t i = 0; i < out; ++i) {
    const double centre = from + (static_cast<double>(i) + 0.5) * scale;
    const auto begin = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
    const auto end = std::min(size, static_cast<int64_t>(centre + reach + 0.5));
    double sum = 0;
    const int64_t some = end - begin;
    for (int64_t x = 0; x < some; ++x)
      sum += values[x] =
          filter_value(filter, (static_cast<double>(begin + x) - centre + 0.5) * (1 / stretch));
    first[i] = static_cast<int32_t>(begin);
    count[i] = static_cast<int32_t>(some);
    int32_t* to = weight.data() + i * room;
    for (int64_t x = 0; x < some; ++x) {
      const double units = values[x] / sum * (1 << weight_bits);
      to[x] = static_cast<int32_t>(units + (units < 0 ? -0.5 : 0.5));
    }
  }
}

void resize(const ImageView& image, const Box& box, Filter filter, int64_t height, int64_t width,
            ResizeScratch& scratch, uint8_t* out) {
  resize_to(image, box, filter, height, width, scratch, out);
}

void resize(const ImageView& image, const Box& box, Filter filter, int64_t height, int64_t width,
            ResizeScratch& scratch, float* out) {
  resize_to(image, box, filter, height, width, scratch, out);
}

}  // namespace smoothlab::data
