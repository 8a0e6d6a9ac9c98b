#include "data/jpeg_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "jpeg_bytes.h"

namespace smoothlab::data {
namespace {

using Bytes = std::vector<uint8_t>;

/// Of the region, densely packed.
Bytes decoded(const Bytes& file, const PixelBox& region, int denominator = 1) {
  JpegImage image(file.data(), file.size(), "a.jpeg");
  Bytes memory, pixels;
  const ImageView view = image.decode(region, denominator, memory).image;
  for (int64_t y = 0; y < view.height; ++y)
    pixels.insert(pixels.end(), view.pixels + y * view.stride,
                  view.pixels + y * view.stride + 3 * view.width);
  return pixels;
}

Bytes decoded(const Bytes& file, int denominator = 1) {
  const JpegImage image(file.data(), file.size(), "a.jpeg");
  return decoded(file, {0, 0, image.height(), image.width()}, denominator);
}

int greatest_difference(const Bytes& one, const Bytes& other) {
  EXPECT_EQ(one.size(), other.size());
  int most = 0;
  for (size_t i = 0; i < std::min(one.size(), other.size()); ++i)
    most = std::max(most, std::abs(one[i] - other[i]));
  return most;
}

/// The words of the error that decoding ends with; empty for none.
std::string error_of(const Bytes& file) {
  try {
    decoded(file);
  } catch (const DataError& error) {
    EXPECT_EQ(error.where(), "a.jpeg");
    return error.problem();
  }
  return "";
}

TEST(JpegImage, BaselineAndProgressiveOfEverySampling) {
  const Bytes picture = smooth_picture(45, 61, 3);
  for (const bool progressive : {false, true})
    for (const int horizontal : {1, 2, 4})
      for (const int vertical : {1, 2}) {
        JpegMaking how;
        how.quality = 100;
        how.progressive = progressive;
        how.horizontal = horizontal;
        how.vertical = vertical;
        const Bytes file = make_jpeg(picture, 45, 61, how);
        const JpegImage image(file.data(), file.size(), "a.jpeg");
        EXPECT_EQ(image.height(), 45);
        EXPECT_EQ(image.width(), 61);
        EXPECT_EQ(image.channels(), 3);
        EXPECT_EQ(image.progressive(), progressive);
        EXPECT_LE(greatest_difference(decoded(file), picture), 10) << horizontal << vertical << progressive;
      }
}

TEST(JpegImage, GreyIsSpreadToThreeChannels) {
  const Bytes picture = smooth_picture(20, 33, 1);
  JpegMaking how;
  how.quality = 100;
  how.channels = 1;
  const Bytes pixels = decoded(make_jpeg(picture, 20, 33, how));
  ASSERT_EQ(pixels.size(), 3 * picture.size());
  for (size_t i = 0; i < picture.size(); ++i)
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(pixels[3 * i + c], picture[i], 2);
}

TEST(JpegImage, FourInvertedChannelsAreMultipliedOut) {
  const Bytes inverted = smooth_picture(24, 40, 4);
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK})
    for (const bool progressive : {false, true}) {
      JpegMaking how;
      how.quality = 100;
      how.channels = 4;
      how.stored = stored;
      how.progressive = progressive;
      const Bytes pixels = decoded(make_jpeg(inverted, 24, 40, how));
      ASSERT_EQ(pixels.size(), inverted.size() / 4 * 3);
      for (size_t i = 0; i < inverted.size() / 4; ++i)
        for (size_t c = 0; c < 3; ++c)
          EXPECT_NEAR(pixels[3 * i + c], inverted[4 * i + c] * inverted[4 * i + 3] / 255.0, 5) << i;
    }
}

TEST(JpegImage, RegionsAreTheWholeImagesPixels) {
  const int height = 83, width = 117;
  const Bytes picture = busy_picture(height, width, 3);
  uint64_t sample = 0;
  for (const bool progressive : {false, true})
    for (const int horizontal : {1, 2})
      for (const int vertical : {1, 2}) {
        JpegMaking how;
        how.progressive = progressive;
        how.horizontal = horizontal;
        how.vertical = vertical;
        const Bytes file = make_jpeg(picture, height, width, how);
        JpegImage image(file.data(), file.size(), "a.jpeg");
        for (const int denominator : {1, 2, 4, 8}) {
          const Bytes whole = decoded(file, denominator);
          const int64_t columns = (width + denominator - 1) / denominator;
          Bytes memory;
          for (int i = 0; i < 60; ++i) {
            const AddressedRandom random(1, Purpose::generated_data, 0, sample++);
            PixelBox region;
            region.height = 1 + static_cast<int64_t>(random.below(height, 0));
            region.width = 1 + static_cast<int64_t>(random.below(width, 1));
            region.top = static_cast<int64_t>(random.below(height - region.height + 1, 2));
            region.left = static_cast<int64_t>(random.below(width - region.width + 1, 3));
            const JpegImage::Region part = image.decode(region, denominator, memory);
            const int64_t top = region.top / denominator, left = region.left / denominator;
            EXPECT_DOUBLE_EQ((part.box.top + static_cast<double>(top)) * denominator, region.top);
            EXPECT_DOUBLE_EQ((part.box.left + static_cast<double>(left)) * denominator, region.left);
            EXPECT_GE(part.box.top, 0);
            EXPECT_LE(part.box.top + part.box.height, part.image.height);
            EXPECT_LE(part.box.left + part.box.width, part.image.width);
            bool same = true;
            for (int64_t y = 0; y < part.image.height; ++y)
              same &= std::memcmp(part.image.pixels + y * part.image.stride,
                                  whole.data() + ((top + y) * columns + left) * 3, 3 * part.image.width) == 0;
            EXPECT_TRUE(same) << region.top << " " << region.left << " " << region.height << " "
                              << region.width << " 1/" << denominator << " " << horizontal << vertical
                              << progressive;
          }
        }
      }
}

TEST(JpegImage, ScaledPixelsAreMeansOfWholeOnes) {
  JpegMaking how;
  how.quality = 100;
  how.channels = 1;
  const Bytes picture = smooth_picture(64, 80, 1);
  const Bytes file = make_jpeg(picture, 64, 80, how);
  for (const int denominator : {2, 4, 8}) {
    const Bytes pixels = decoded(file, denominator);
    ASSERT_EQ(pixels.size(), 64u * 80 * 3 / (denominator * denominator));
    for (int y = 0; y < 64 / denominator; ++y)
      for (int x = 0; x < 80 / denominator; ++x) {
        double mean = 0;
        for (int i = 0; i < denominator; ++i)
          for (int j = 0; j < denominator; ++j)
            mean += picture[(y * denominator + i) * 80 + x * denominator + j];
        EXPECT_NEAR(pixels[(y * 80 / denominator + x) * 3], mean / denominator / denominator, 2);
      }
  }
}

TEST(JpegImage, DenominatorLeavesTheOutputItsSize) {
  EXPECT_EQ(scaling_denominator(299, 299, 299, 299), 1);
  EXPECT_EQ(scaling_denominator(597, 4000, 299, 299), 1);
  EXPECT_EQ(scaling_denominator(598, 598, 299, 299), 2);
  EXPECT_EQ(scaling_denominator(5000, 1196, 299, 299), 4);
  EXPECT_EQ(scaling_denominator(50000, 50000, 299, 299), 8);
  EXPECT_EQ(scaling_denominator(10, 10, 299, 299), 1);
}

TEST(JpegImage, TruncatedAnywhereIsDamaged) {
  const Bytes picture = busy_picture(40, 50, 3);
  for (const bool progressive : {false, true}) {
    JpegMaking how;
    how.progressive = progressive;
    how.quality = 50;
    const Bytes file = make_jpeg(picture, 40, 50, how);
    EXPECT_EQ(error_of(file), "");
    for (size_t size = 0; size < file.size(); ++size)
      ASSERT_NE(error_of({file.begin(), file.begin() + static_cast<int64_t>(size)}), "") << size;
  }
}

TEST(JpegImage, ScanThatEndsEarlyIsDamagedThoughLibjpegOnlyWarns) {
  JpegMaking how;
  const Bytes file = make_jpeg(busy_picture(64, 64, 3), 64, 64, how);
  for (const size_t missing : {20, 200, 1000}) {
    ASSERT_LT(missing, file.size() / 2);
    Bytes cut(file.begin(), file.end() - static_cast<int64_t>(missing));
    cut.insert(cut.end(), {0xFF, 0xD9});
    EXPECT_THAT(error_of(cut), testing::HasSubstr("premature end of data segment")) << missing;
  }
}

TEST(JpegImage, ChangedBytesEndInPixelsOrAnError) {
  int damaged = 0;
  for (const bool progressive : {false, true}) {
    JpegMaking how;
    how.progressive = progressive;
    const Bytes file = make_jpeg(smooth_picture(24, 24, 3), 24, 24, how);
    for (size_t at = 0; at < file.size(); ++at)
      for (const int change : {0x01, 0x80, 0xFF}) {
        Bytes changed = file;
        changed[at] = static_cast<uint8_t>(changed[at] ^ change);
        damaged += !error_of(changed).empty();
        try {
          decoded(changed, {9, 5, 6, 7}, 2);
        } catch (const Error&) {
          // Of another size, perhaps, than the region needs.
        }
      }
  }
  EXPECT_GT(damaged, 100);
}

TEST(JpegImage, WhatIsNoJpegIsNamed) {
  const auto of = [](const std::string& text) { return error_of(Bytes(text.begin(), text.end())); };
  EXPECT_EQ(of(""), "not a JPEG image but an empty file");
  EXPECT_EQ(of("<!DOCTYPE html><html>404"), "not a JPEG image but a page of HTML or XML");
  EXPECT_EQ(of("\n <html>"), "not a JPEG image but a page of HTML or XML");
  EXPECT_EQ(of("\x89PNG\r\n\x1a\n"), "not a JPEG image but a PNG image");
  EXPECT_EQ(of("GIF89a"), "not a JPEG image but a GIF image");
  EXPECT_EQ(of(std::string("RIFF\0\0\0\0WEBP", 12)), "not a JPEG image but a WebP image");
  EXPECT_EQ(of("hello"), "not a JPEG image but a file that begins with 0x68 65 6c 6c");
  EXPECT_THAT(of("\xFF\xD8\xFF\xD9"), testing::StartsWith("damaged JPEG image: "));
  EXPECT_THAT(of("\xFF\xD8hello"), testing::StartsWith("damaged JPEG image: "));
}

/// Where the frame's height stands, in a file of ours.
size_t frame_height(const Bytes& file) {
  const Bytes marker = {0xFF, 0xC0};
  return std::search(file.begin(), file.end(), marker.begin(), marker.end()) - file.begin() + 5;
}

TEST(JpegImage, AbsurdSizeIsRefused) {
  Bytes file = make_jpeg(smooth_picture(16, 16, 3), 16, 16);
  const size_t at = frame_height(file);
  ASSERT_EQ(file[at + 1], 16);
  for (const size_t i : {0, 2}) {
    file[at + i] = 0xFF;
    file[at + i + 1] = 0xDC;
  }
  EXPECT_EQ(error_of(file), "JPEG image of 65500 x 65500 pixels, more than 134217728");
}

TEST(JpegImage, ProgressiveImageMayNotTakeMoreThanItsLimit) {
  JpegMaking how;
  how.progressive = true;
  const Bytes file = make_jpeg(smooth_picture(400, 400, 3), 400, 400, how);
  JpegLimits limits;
  limits.most_bytes = 300000;
  JpegImage image(file.data(), file.size(), "a.jpeg", limits);
  Bytes memory;
  EXPECT_THROW(image.decode({0, 0, 8, 8}, 1, memory), DataError);
  EXPECT_TRUE(memory.empty());
}

TEST(JpegImage, OnePixel) {
  for (const int channels : {1, 3, 4}) {
    JpegMaking how;
    how.channels = channels;
    const Bytes file = make_jpeg(Bytes(channels, 255), 1, 1, how);
    for (const int denominator : {1, 2, 8}) EXPECT_EQ(decoded(file, denominator), (Bytes{255, 255, 255}));
  }
}

TEST(JpegImage, HundredMillionPixelsTakeTheMemoryOfWhatIsWanted) {
  const int side = 10000;
  JpegMaking how;
  how.channels = 1;
  const Bytes file = make_jpeg(Bytes(side, 100), side, side, how, true);
  JpegImage image(file.data(), file.size(), "a.jpeg");
  Bytes memory;
  EXPECT_EQ(image.decode({0, 0, side, side}, 8, memory).image.height, 1250);
  EXPECT_LE(memory.size(), 1250u * 1250 * 3);
  const JpegImage::Region corner = image.decode({9000, 9000, 300, 300}, 1, memory);
  EXPECT_EQ(corner.image.pixels[299 * corner.image.stride + 3 * 299], 100);
  EXPECT_LE(memory.size(), 1250u * 1250 * 3);
}

TEST(JpegImage, OrientationIsPassedOver) {
  JpegMaking how;
  const Bytes plain = make_jpeg(smooth_picture(16, 24, 3), 16, 24, how);
  // One entry: orientation (0x0112), a short, 6.
  how.exif = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
              1,   0x12, 0,   3,   0, 0, 0,   1,   0, 6,  0, 0, 0, 0, 0, 0};
  const Bytes turned = make_jpeg(smooth_picture(16, 24, 3), 16, 24, how);
  EXPECT_GT(turned.size(), plain.size());
  EXPECT_EQ(decoded(turned), decoded(plain));
}

TEST(JpegImage, RegionsOutsideAndOddScalesAreRefused) {
  const Bytes file = make_jpeg(smooth_picture(16, 24, 3), 16, 24);
  JpegImage image(file.data(), file.size(), "a.jpeg");
  Bytes memory;
  EXPECT_THROW(image.decode({0, 0, 17, 24}, 1, memory), UsageError);
  EXPECT_THROW(image.decode({0, -1, 4, 4}, 1, memory), UsageError);
  EXPECT_THROW(image.decode({0, 0, 0, 4}, 1, memory), UsageError);
  EXPECT_THROW(image.decode({0, 0, 4, 4}, 3, memory), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
