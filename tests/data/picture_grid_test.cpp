#include "data/picture_grid.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "data/jpeg_image.h"

namespace smoothlab::data {
namespace {

TEST(PictureGrid, UndoesTheNormalisation) {
  const at::Tensor raw = at::arange(2 * 3 * 4 * 5, at::kFloat).view({2, 3, 4, 5});
  const at::Tensor wanted = raw.to(at::kByte).permute({0, 2, 3, 1});
  EXPECT_TRUE(pictures_of(raw, "none").equal(wanted));
  EXPECT_TRUE(pictures_of(raw / 255, "unit").equal(wanted));
  EXPECT_TRUE(pictures_of(raw / 127.5 - 1, "inception").equal(wanted));
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).view({3, 1, 1}),
                   deviation = at::tensor({0.229, 0.224, 0.225}).view({3, 1, 1});
  EXPECT_TRUE(pictures_of((raw / 255 - mean) / deviation, "imagenet").equal(wanted));
  const at::Tensor stretched = pictures_of(raw, "per_image");
  EXPECT_EQ(stretched[1].min().item<int>(), 0);
  EXPECT_EQ(stretched[1].max().item<int>(), 255);
  EXPECT_TRUE(pictures_of(raw.narrow(1, 0, 1) - 3, "none")[0][0][0].equal(at::zeros({3}, at::kByte)));
}

TEST(PictureGrid, EnlargesAndSeparates) {
  const at::Tensor pictures = at::arange(3 * 2 * 2 * 3, at::kByte).view({3, 2, 2, 3});
  const at::Tensor grid = picture_grid(pictures, 2, 3);
  ASSERT_EQ(grid.sizes(), (std::vector<int64_t>{6 + 4 + 6, 6 + 4 + 6, 3}));
  EXPECT_TRUE(grid[2][2].equal(pictures[0][0][0]));
  EXPECT_TRUE(grid[3][0].equal(pictures[0][1][0]));
  EXPECT_TRUE(grid[5][10].equal(pictures[1][1][0]));
  EXPECT_TRUE(grid[10][5].equal(pictures[2][0][1]));
  EXPECT_TRUE(grid[7][3].eq(255).all().item<bool>());
  EXPECT_TRUE(grid[12][12].eq(255).all().item<bool>()) << "no fourth picture";
}

TEST(PictureGrid, IsAJpeg) {
  const at::Tensor picture = at::stack(
      {at::arange(40, at::kByte).view({1, 40}).expand({30, 40}) * 5,
       at::arange(30, at::kByte).view({30, 1}).expand({30, 40}) * 5, at::full({30, 40}, 90, at::kByte)},
      2);
  const std::vector<uint8_t> bytes = jpeg_of(picture);
  JpegImage image(bytes.data(), bytes.size(), "grid");
  ASSERT_EQ(image.height(), 30);
  ASSERT_EQ(image.width(), 40);
  std::vector<uint8_t> memory;
  const auto decoded = image.decode({0, 0, 30, 40}, 1, memory);
  double worst = 0;
  for (int64_t y = 0; y < 30; ++y)
    for (int64_t x = 0; x < 40; ++x)
      for (int64_t c = 0; c < 3; ++c)
        worst = std::max(worst, std::abs(picture[y][x][c].item<double>() -
                                         decoded.image.pixels[y * decoded.image.stride + 3 * x + c]));
  EXPECT_LT(worst, 12);
  EXPECT_THROW(jpeg_of(at::zeros({70000, 1, 3}, at::kByte)), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
