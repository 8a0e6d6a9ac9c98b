#include "data/image_crops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace smoothlab::data {
namespace {

AddressedRandom random_of(uint64_t sample, uint64_t epoch = 0) {
  return AddressedRandom(3, Purpose::augmentation, epoch, sample);
}

TEST(ImageCrops, AreasAndAspectsAreWithinBoundsAndHaveTheirMeans) {
  // A square's crop of area share A and aspect r = e^u fits where A <= e^-|u|. With L = ln 4/3 and u uniform
  // on [-L, L], integrating over A from 0.05 to e^-|u| gives the mean of A among those that fit.
  const double L = std::log(4.0 / 3);
  const double fits = (1 - std::exp(-L)) / L - 0.05;
  const double mean = ((1 - std::exp(-2 * L)) / (2 * L) - 0.0025) / 2 / fits;
  EXPECT_NEAR(mean, 0.4627, 1e-4);
  const int64_t side = 4000;
  const int samples = 100000;
  double area = 0, log_aspect = 0, top = 0, left = 0;
  for (int i = 0; i < samples; ++i) {
    const PixelBox box = random_crop(random_of(i), side, side, {});
    const double share = static_cast<double>(box.height * box.width) / (side * side);
    const double aspect = static_cast<double>(box.width) / static_cast<double>(box.height);
    ASSERT_GE(box.top, 0);
    ASSERT_GE(box.left, 0);
    ASSERT_LE(box.top + box.height, side);
    ASSERT_LE(box.left + box.width, side);
    ASSERT_GT(share, 0.0495);
    ASSERT_GT(aspect, 0.749);
    ASSERT_LT(aspect, 1.335);
    area += share;
    log_aspect += std::log(aspect);
    top += static_cast<double>(box.top) / static_cast<double>(side - box.height + 1);
    left += static_cast<double>(box.left) / static_cast<double>(side - box.width + 1);
  }
  // Four standard errors and more: deviations are below 0.26, 0.17 and 0.29.
  EXPECT_NEAR(area / samples, mean, 0.0035);
  EXPECT_NEAR(log_aspect / samples, 0, 0.0022);
  EXPECT_NEAR(top / samples, 0.5, 0.004);
  EXPECT_NEAR(left / samples, 0.5, 0.004);
}

TEST(ImageCrops, ThinImagesGetTheirLargestCentralCrop) {
  const PixelBox lying = random_crop(random_of(1), 30, 3000, {});
  EXPECT_EQ(lying.height, 30);
  EXPECT_EQ(lying.width, 40);
  EXPECT_EQ(lying.top, 0);
  EXPECT_EQ(lying.left, 1480);
  const PixelBox upright = random_crop(random_of(1), 3000, 30, {});
  EXPECT_EQ(upright.height, 40);
  EXPECT_EQ(upright.width, 30);
  const PixelBox pixel = random_crop(random_of(1), 1, 1, {});
  EXPECT_EQ(pixel.height * pixel.width, 1);
  RandomCropOptions none;
  none.tries = 0;
  EXPECT_EQ(random_crop(random_of(1), 50, 60, none).width, 60);
}

TEST(ImageCrops, DependOnTheAddressAlone) {
  const PixelBox once = random_crop(random_of(7, 2), 375, 500, {});
  const PixelBox again = random_crop(random_of(7, 2), 375, 500, {});
  EXPECT_EQ(once.top, again.top);
  EXPECT_EQ(once.width, again.width);
  int differing = 0;
  for (uint64_t epoch = 3; epoch < 23; ++epoch) {
    const PixelBox other = random_crop(random_of(7, epoch), 375, 500, {});
    differing += other.top != once.top || other.width != once.width;
  }
  EXPECT_GE(differing, 19);
}

TEST(ImageCrops, CentralCropsOfBothShapes) {
  const Box part = central_crop(400, 800, 0.875, CentreShape::as_image, {299, 299});
  EXPECT_DOUBLE_EQ(part.height, 350);
  EXPECT_DOUBLE_EQ(part.width, 700);
  EXPECT_DOUBLE_EQ(part.top, 25);
  EXPECT_DOUBLE_EQ(part.left, 50);
  // 256 × 512 pixels, of which CenterCrop takes 224 × 224 from (16, 144) on.
  const Box square = central_crop(400, 801, 0.875, CentreShape::square, {224, 224});
  EXPECT_DOUBLE_EQ(square.top, 25);
  EXPECT_DOUBLE_EQ(square.height, 350);
  EXPECT_DOUBLE_EQ(square.left, 144.0 / 512 * 801);
  EXPECT_DOUBLE_EQ(square.width, 224.0 / 512 * 801);
  const PixelBox pixels = pixels_of(square, 400, 801);
  EXPECT_EQ(pixels.left, 225);
  EXPECT_EQ(pixels.width, 351);
  EXPECT_EQ(pixels.height, 350);
  EXPECT_DOUBLE_EQ(central_crop(1, 1, 0.875, CentreShape::as_image, {299, 299}).height, 1);
}

/// As Python has it: t = math.floor(299 / 0.875); sides t and int(t * long / short); round((side - 299) / 2).
TEST(ImageCrops, SquareCentresAreRoundedAsByResizeAndCenterCrop) {
  struct Figure {
    int64_t height, width;
    double resized_height, resized_width, top, left;
  };
  for (const Figure& f : {Figure{333, 500, 341, 512, 21, 106}, Figure{500, 375, 454, 341, 78, 21},
                          Figure{375, 500, 341, 454, 21, 78}, Figure{1200, 1200, 341, 341, 21, 21},
                          Figure{97, 100, 341, 351, 21, 26}}) {
    const Box box = central_crop(f.height, f.width, 0.875, CentreShape::square, {299, 299});
    const double row = static_cast<double>(f.height) / f.resized_height,
                 column = static_cast<double>(f.width) / f.resized_width;
    EXPECT_NEAR(box.top, f.top * row, 1e-9) << f.height << " x " << f.width;
    EXPECT_NEAR(box.left, f.left * column, 1e-9) << f.height << " x " << f.width;
    EXPECT_NEAR(box.height, 299 * row, 1e-9);
    EXPECT_NEAR(box.width, 299 * column, 1e-9);
  }
}

TEST(ImageCrops, HalfOfTheSamplesAreMirrored) {
  int mirrored = 0;
  for (uint64_t sample = 0; sample < 10000; ++sample) mirrored += draw_flip(random_of(sample));
  EXPECT_NEAR(mirrored, 5000, 200);
}

}  // namespace
}  // namespace smoothlab::data
