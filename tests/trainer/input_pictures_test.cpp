#include "trainer/input_pictures.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "data/jpeg_image.h"
#include "trainer/small_run.h"

namespace smoothlab::trainer {
namespace {

constexpr int64_t pitch = 100;  // of images of 32 pixels: each thrice, and the line between two

/// Mean difference of two columns of pictures.
double difference(const std::vector<uint8_t>& jpeg, int64_t one, int64_t other) {
  data::JpegImage image(jpeg.data(), jpeg.size(), "inputs");
  std::vector<uint8_t> memory;
  const auto pixels = image.decode({0, 0, image.height(), image.width()}, 1, memory).image;
  double sum = 0;
  for (int64_t y = 0; y < pixels.height; ++y)
    for (int64_t i = 3 * 8; i < 3 * 88; ++i) {
      const uint8_t* row = pixels.pixels + y * pixels.stride + i;
      sum += std::abs(row[3 * pitch * one] - row[3 * pitch * other]);
    }
  return sum / static_cast<double>(pixels.height * 3 * 80);
}

TEST(InputPictures, AugmentationsThatComeAgainAreShownAgain) {
  Recipe recipe = small_recipe();
  PictureWish wish;
  wish.epochs = 4;
  const auto fresh = input_pictures(recipe, wish);
  EXPECT_GT(difference(fresh, 1, 3), 5);
  EXPECT_GT(difference(fresh, 0, 1), 5);
  recipe.task.augment.draws = 2;
  const auto again = input_pictures(recipe, wish);
  EXPECT_LT(difference(again, 1, 3), 1);
  EXPECT_LT(difference(again, 2, 4), 1);
  EXPECT_GT(difference(again, 1, 2), 5);
}

}  // namespace
}  // namespace smoothlab::trainer
