#include "data/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/error.h"
#include "jpeg_bytes.h"

namespace smoothlab::data {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr Filter filters[] = {Filter::bilinear, Filter::bicubic};

template <typename Out>
std::vector<Out> resized(const Bytes& image, int64_t height, int64_t width, const Box& box, Filter filter,
                         int64_t out_height, int64_t out_width) {
  std::vector<Out> out(out_height * out_width * 3);
  ResizeScratch scratch;
  resize({image.data(), height, width, 3 * width}, box, filter, out_height, out_width, scratch, out.data());
  return out;
}

TEST(Resize, ConstantStays) {
  const Bytes image(37 * 53 * 3, 201);
  for (const Filter filter : filters)
    for (const int64_t side : {1, 7, 53, 200}) {
      for (const uint8_t value : resized<uint8_t>(image, 37, 53, {0, 0, 37, 53}, filter, side, side))
        ASSERT_EQ(value, 201);
      for (const float value : resized<float>(image, 37, 53, {1.5, 2.25, 30, 20.5}, filter, side, side))
        ASSERT_NEAR(value, 201, 2e-3);
    }
}

TEST(Resize, WeightsHaveSumOne) {
  ResizeTaps taps;
  for (const Filter filter : filters)
    for (const int64_t out : {1, 3, 299, 1000}) {
      taps.set(3.7, 500.4, 511, out, filter);
      for (int64_t i = 0; i < out; ++i) {
        const int32_t* weight = taps.weight.data() + i * taps.room;
        EXPECT_GT(taps.count[i], 0);
        EXPECT_LE(taps.count[i], taps.room);
        EXPECT_NEAR(std::accumulate(weight, weight + taps.count[i], int64_t{0}), 1 << 22, taps.count[i]);
      }
    }
}

TEST(Resize, RampStaysARampUnderBothFilters) {
  // v(x) = 3x + 20 at the middle of pixel x; output i has its middle at (i + ½)·length / out.
  const int64_t width = 64;
  Bytes image;
  for (int64_t x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c) image.push_back(static_cast<uint8_t>(3 * x + 20));
  for (const Filter filter : filters)
    for (const int64_t out : {16, 40, 64, 150}) {
      const auto row = resized<float>(image, 1, width, {0, 0, 1, 64}, filter, 1, out);
      const double scale = 64.0 / static_cast<double>(out);
      // Away from the edges, where weights are cut off. Half a step for the rounding between the passes.
      for (int64_t i = 0; i < out; ++i) {
        const double middle = (static_cast<double>(i) + 0.5) * scale, reach = 2.5 * std::max(1.0, scale);
        if (middle < reach || middle > 64 - reach) continue;
        EXPECT_NEAR(row[3 * i], 3 * (middle - 0.5) + 20, 0.51) << i << " of " << out;
      }
    }
}

TEST(Resize, SameSizeIsTheSame) {
  const Bytes image = busy_picture(19, 23, 3);
  for (const Filter filter : filters) {
    EXPECT_EQ(resized<uint8_t>(image, 19, 23, {0, 0, 19, 23}, filter, 19, 23), image);
    const Bytes part = resized<uint8_t>(image, 19, 23, {2, 5, 7, 11}, filter, 7, 11);
    for (int64_t y = 0; y < 7; ++y)
      for (int64_t i = 0; i < 33; ++i) ASSERT_EQ(part[y * 33 + i], image[((y + 2) * 23 + 5) * 3 + i]);
  }
}

/// Of busy_picture(23, 31, 3), as printed by Python with Pillow 9.4.0:
///   r = numpy.asarray(image.resize((width, height), filter, box)).astype(int).ravel()
///   r.sum(), (r * (numpy.arange(r.size) % 1009)).sum()
TEST(Resize, EqualsPillow) {
  struct Figure {
    Filter filter;
    int64_t height, width;
    bool boxed;
    int64_t sum, weighted;
  };
  const Figure figures[] = {
      {Filter::bilinear, 9, 11, false, 37922, 5600057},
      {Filter::bilinear, 9, 11, true, 38080, 5646396},
      {Filter::bilinear, 40, 50, false, 764595, 380806232},
      {Filter::bilinear, 40, 50, true, 771344, 383919409},
      {Filter::bilinear, 5, 31, false, 59286, 13751566},
      {Filter::bilinear, 5, 31, true, 59402, 13784223},
      {Filter::bicubic, 9, 11, false, 37914, 5600159},
      {Filter::bicubic, 9, 11, true, 38099, 5652247},
      {Filter::bicubic, 40, 50, false, 764921, 380861633},
      {Filter::bicubic, 40, 50, true, 770933, 383586375},
      {Filter::bicubic, 5, 31, false, 59291, 13747201},
      {Filter::bicubic, 5, 31, true, 59482, 13804866},
  };
  const Bytes image = busy_picture(23, 31, 3);
  for (const Figure& f : figures) {
    const Box box = f.boxed ? Box{2, 3, 19, 25} : Box{0, 0, 23, 31};
    const Bytes out = resized<uint8_t>(image, 23, 31, box, f.filter, f.height, f.width);
    int64_t sum = 0, weighted = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      sum += out[i];
      weighted += out[i] * static_cast<int64_t>(i % 1009);
    }
    EXPECT_EQ(sum, f.sum) << f.height << " x " << f.width;
    EXPECT_EQ(weighted, f.weighted) << f.height << " x " << f.width;
    const auto floats = resized<float>(image, 23, 31, box, f.filter, f.height, f.width);
    for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], std::clamp(floats[i], 0.0f, 255.0f), 0.501);
  }
}

TEST(Resize, PaddedRowsAreReadAsDenseOnes) {
  const Bytes image = busy_picture(21, 17, 3);
  // Ends with the last pixel, so that a read beyond it is one beyond the memory.
  Bytes padded(20 * 64 + 51);
  for (int64_t y = 0; y < 21; ++y) std::copy_n(image.begin() + y * 51, 51, padded.begin() + y * 64);
  ResizeScratch scratch;
  for (const Filter filter : filters) {
    Bytes out(9 * 8 * 3);
    resize({padded.data(), 21, 17, 64}, {0, 0, 21, 17}, filter, 9, 8, scratch, out.data());
    EXPECT_EQ(out, resized<uint8_t>(image, 21, 17, {0, 0, 21, 17}, filter, 9, 8));
  }
}

TEST(Resize, BoxesOutsideAreRefused) {
  const Bytes image(5 * 5 * 3, 1);
  for (const Box& box :
       {Box{0, 0, 5.1, 5}, Box{-0.1, 0, 5, 5}, Box{0, 0, 0, 5}, Box{0, 2, 5, 4}, Box{0, 0, std::nan(""), 5}})
    EXPECT_THROW(resized<uint8_t>(image, 5, 5, box, Filter::bilinear, 2, 2), UsageError);
  EXPECT_THROW(resized<uint8_t>(image, 5, 5, {0, 0, 5, 5}, Filter::bilinear, 0, 2), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
