#include "data/colour_jitter.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "jpeg_bytes.h"

namespace smoothlab::data {
namespace {

using Bytes = std::vector<uint8_t>;
using Change = ColourJitter::Change;

TEST(ColourJitter, FactorsAndOrdersAreDrawnEvenly) {
  ColourJitterOptions options;
  options.brightness = 0.4;
  options.saturation = 1.5;
  std::map<std::array<Change, 3>, int> orders;
  double brightness = 0, saturation = 0;
  const int samples = 12000;
  for (int sample = 0; sample < samples; ++sample) {
    const ColourJitter how = draw_jitter(AddressedRandom(1, Purpose::augmentation, 0, sample), options);
    ++orders[how.order];
    ASSERT_GE(how.brightness, 0.6f);
    ASSERT_LE(how.brightness, 1.4f);
    ASSERT_EQ(how.contrast, 1);
    ASSERT_GE(how.saturation, 0);
    ASSERT_LE(how.saturation, 2.5f);
    brightness += how.brightness;
    saturation += how.saturation;
  }
  EXPECT_NEAR(brightness / samples, 1, 0.01);
  EXPECT_NEAR(saturation / samples, 1.25, 0.03);
  EXPECT_EQ(orders.size(), 6u);
  double chi_square = 0;
  for (const auto& [order, count] : orders) chi_square += (count - 2000.0) * (count - 2000.0) / 2000;
  EXPECT_LT(chi_square, 20.5);  // 99.9 % quantile at 5 degrees of freedom
}

TEST(ColourJitter, FactorsOfOneAndZero) {
  const Bytes image = busy_picture(10, 10, 3);
  Bytes pixels = image;
  jitter({}, 100, pixels.data());
  EXPECT_EQ(pixels, image);
  ColourJitter grey;
  grey.saturation = 0;
  jitter(grey, 100, pixels.data());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pixels[3 * i], pixels[3 * i + 1]);
    EXPECT_NEAR(pixels[3 * i], 0.299 * image[3 * i] + 0.587 * image[3 * i + 1] + 0.114 * image[3 * i + 2],
                0.51);
  }
  ColourJitter black;
  black.brightness = 0;
  jitter(black, 100, pixels.data());
  EXPECT_EQ(pixels, Bytes(300, 0));
}

/// Of busy_picture(23, 31, 3), as printed by Python with Pillow 9.4.0: ImageEnhance.Brightness, Contrast and
/// Color one after the other and in the opposite order; sums as in resize_test.cpp.
TEST(ColourJitter, EqualsPillow) {
  struct Figure {
    float brightness, contrast, saturation;
    bool backwards;
    int64_t sum, weighted;
  };
  for (const Figure& f :
       {Figure{1.3f, 0.7f, 1.4f, false, 332043, 158190400}, Figure{1.3f, 0.7f, 1.4f, true, 342975, 163517751},
        Figure{0.61f, 1.37f, 0.45f, false, 167759, 79559647},
        Figure{0.61f, 1.37f, 0.45f, true, 164363, 77858507}}) {
    ColourJitter how;
    how.brightness = f.brightness;
    how.contrast = f.contrast;
    how.saturation = f.saturation;
    if (f.backwards) how.order = {Change::saturation, Change::contrast, Change::brightness};
    Bytes pixels = busy_picture(23, 31, 3);
    jitter(how, 23 * 31, pixels.data());
    int64_t sum = 0, weighted = 0;
    for (size_t i = 0; i < pixels.size(); ++i) {
      sum += pixels[i];
      weighted += pixels[i] * static_cast<int64_t>(i % 1009);
    }
    EXPECT_EQ(sum, f.sum);
    EXPECT_EQ(weighted, f.weighted);
  }
}

}  // namespace
}  // namespace smoothlab::data
