#include "data/jpeg_augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "cluster/error.h"
#include "jpeg_bytes.h"

namespace smoothlab::data {
namespace {

using Bytes = std::vector<uint8_t>;

std::vector<float> applied(const JpegAugmentation& augmentation, const Bytes& file, SampleAddress address,
                           Augment augment) {
  JpegAugmentation::Scratch scratch;
  std::vector<float> out(augmentation.out_height() * augmentation.out_width() * 3);
  augmentation.apply(file.data(), file.size(), "a.jpeg", address, augment, scratch, out.data());
  return out;
}

JpegAugmentOptions small() {
  JpegAugmentOptions options;
  options.height = 24;
  options.width = 32;
  return options;
}

TEST(JpegAugmentation, ScalesChannels) {
  const Bytes pixels = {0, 51, 255, 255, 0, 102};
  float out[6];
  scale_channels(pixels.data(), 1, 2, false, ChannelScaling::inception(), out);
  const float inception[] = {-1, -0.6f, 1, 1, -1, -0.2f};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(out[i], inception[i], 1e-6);
  scale_channels(pixels.data(), 1, 2, true, ChannelScaling::imagenet(), out);
  const double imagenet[] = {(1 - 0.485) / 0.229, -0.456 / 0.224,        (0.4 - 0.406) / 0.225,
                             -0.485 / 0.229,      (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(out[i], imagenet[i], 1e-5);
}

TEST(JpegAugmentation, EvaluationSeesTheCentre) {
  // Rows are linear in y and columns in x, so the means are those of the middle, wherever it is cut.
  JpegMaking how;
  how.quality = 100;
  how.horizontal = how.vertical = 1;
  const Bytes file = make_jpeg(smooth_picture(300, 400, 3), 300, 400, how);
  for (const bool scaled : {false, true})
    for (const CentreShape shape : {CentreShape::as_image, CentreShape::square}) {
      JpegAugmentOptions options = small();
      options.scaled_decoding = scaled;
      options.centre_shape = shape;
      const auto out = applied(JpegAugmentation(options, 1), file, {0, 5}, Augment::none);
      // Of 32 pixels, which would be 36 of the shorter side and 48 of the longer.
      const double length = shape == CentreShape::square ? 400 * 32.0 / 48 : 350;
      const double left = (400 - length) / 2;
      for (int x = 2; x < 30; ++x) {
        const double value = 40 + 150 * (left + (x + 0.5) * length / 32 - 0.5) / 400;
        EXPECT_NEAR((out[(12 * 32 + x) * 3] + 1) * 127.5, value, 1.5) << x << " " << scaled;
      }
    }
}

/// Published weights are evaluated that way by timm and torchvision: the whole image is resized, then cut.
TEST(JpegAugmentation, SquareCentresAreWhatResizeAndCenterCropShow) {
  constexpr int64_t side = 32, shorter = 36;  // ⌊32 / 0.875⌋
  for (const auto& [height, width] : {std::pair(333, 500), std::pair(121, 90), std::pair(60, 60)})
    for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
      const Bytes file = make_jpeg(busy_picture(height, width, 3), height, width);
      JpegAugmentOptions options;
      options.height = options.width = side;
      options.centre_shape = CentreShape::square;
      options.filter = filter;
      options.scaled_decoding = false;
      options.scaling = {};
      const auto seen = applied(JpegAugmentation(options, 1), file, {0, 0}, Augment::none);

      const int64_t rows = shorter * height / std::min(height, width),
                    columns = shorter * width / std::min(height, width);
      Bytes memory, whole(rows * columns * 3);
      JpegImage image(file.data(), file.size(), "a.jpeg");
      const JpegImage::Region all = image.decode({0, 0, height, width}, 1, memory);
      ResizeScratch scratch;
      resize(all.image, all.box, filter, rows, columns, scratch, whole.data());
      const auto top = static_cast<int64_t>(std::nearbyint(static_cast<double>(rows - side) / 2)),
                 left = static_cast<int64_t>(std::nearbyint(static_cast<double>(columns - side) / 2));
      double most = 0;
      for (int64_t y = 0; y < side; ++y)
        for (int64_t i = 0; i < 3 * side; ++i)
          most = std::max(
              most, std::abs(double{seen[y * 3 * side + i]} - whole[((y + top) * columns + left) * 3 + i]));
      EXPECT_LE(most, 1) << height << " x " << width;
    }
}

TEST(JpegAugmentation, TrainingVariesWithEpochSampleAndSeedOnly) {
  const Bytes file = make_jpeg(busy_picture(90, 120, 3), 90, 120);
  JpegAugmentOptions options = small();
  options.jitter.brightness = options.jitter.contrast = options.jitter.saturation = 0.4;
  const JpegAugmentation one(options, 1), same(options, 1), other(options, 2);
  const auto first = applied(one, file, {4, 7}, Augment::training);
  EXPECT_EQ(applied(same, file, {4, 7}, Augment::training), first);
  EXPECT_NE(applied(one, file, {4, 8}, Augment::training), first);
  EXPECT_NE(applied(one, file, {5, 7}, Augment::training), first);
  EXPECT_NE(applied(other, file, {4, 7}, Augment::training), first);
  EXPECT_EQ(applied(one, file, {4, 7}, Augment::none), applied(other, file, {5, 8}, Augment::none));
}

TEST(JpegAugmentation, FlipMirrorsWhatWouldBeSeen) {
  const Bytes file = make_jpeg(busy_picture(90, 120, 3), 90, 120);
  JpegAugmentOptions options = small();
  options.flip = false;
  const JpegAugmentation never(options, 1);
  options.flip = true;
  const JpegAugmentation half(options, 1);
  int mirrored = 0;
  for (int64_t sample = 0; sample < 40; ++sample) {
    const auto plain = applied(never, file, {sample, 0}, Augment::training);
    auto seen = applied(half, file, {sample, 0}, Augment::training);
    if (seen == plain) continue;
    ++mirrored;
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 32; ++x)
        for (int c = 0; c < 3; ++c) ASSERT_EQ(seen[(y * 32 + x) * 3 + c], plain[(y * 32 + 31 - x) * 3 + c]);
  }
  EXPECT_GT(mirrored, 8);
  EXPECT_LT(mirrored, 32);
}

TEST(JpegAugmentation, ThreadsMakeTheSameBits) {
  JpegMaking progressive;
  progressive.progressive = true;
  const Bytes files[] = {make_jpeg(busy_picture(90, 120, 3), 90, 120),
                         make_jpeg(smooth_picture(130, 70, 3), 130, 70, progressive)};
  JpegAugmentOptions options = small();
  options.jitter.contrast = 0.4;
  const JpegAugmentation augmentation(options, 9);
  const int64_t samples = 64, floats = 24 * 32 * 3;
  const auto with_threads = [&](int64_t threads) {
    std::vector<float> out(samples * floats);
    std::vector<std::thread> workers;
    for (int64_t t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        JpegAugmentation::Scratch scratch;
        for (int64_t i = t; i < samples; i += threads)
          augmentation.apply(files[i % 2].data(), files[i % 2].size(), "a.jpeg", {i, 3}, Augment::training,
                             scratch, out.data() + i * floats);
      });
    for (std::thread& worker : workers) worker.join();
    return out;
  };
  const auto alone = with_threads(1);
  EXPECT_EQ(with_threads(3), alone);
  EXPECT_EQ(with_threads(4), alone);
}

TEST(JpegAugmentation, ErrorsNameTheFileAndOptionsAreChecked) {
  const JpegAugmentation augmentation(small(), 1);
  try {
    applied(augmentation, {'<', 'h'}, {0, 0}, Augment::training);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where(), "a.jpeg");
  }
  JpegAugmentOptions options = small();
  options.crop.least_area = 0;
  EXPECT_THROW(JpegAugmentation(options, 1), UsageError);
  options = small();
  options.width = 0;
  EXPECT_THROW(JpegAugmentation(options, 1), UsageError);
  options = small();
  options.centre = 1.5;
  EXPECT_THROW(JpegAugmentation(options, 1), UsageError);
  options = small();
  options.jitter.saturation = -1;
  EXPECT_THROW(JpegAugmentation(options, 1), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
