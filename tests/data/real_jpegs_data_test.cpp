#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cluster/addressed_random.h"
#include "data/file_bytes.h"
#include "data/image_crops.h"
#include "data/jpeg_augmentation.h"
#include "data/jpeg_image.h"

namespace smoothlab::data {
namespace {

/// The JPEG files below $SMOOTHLAB_DATA/imagenet, by name.
std::vector<std::string> files() {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  const std::filesystem::path folder = std::string(root ? root : "") + "/imagenet/images";
  std::vector<std::string> names;
  if (root && std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(RealJpegsData, RandomCropsAreTheWholeImagesPixels) {
  const auto names = files();
  if (names.empty()) GTEST_SKIP() << "no ImageNet images in $SMOOTHLAB_DATA";
  std::vector<uint8_t> whole_memory, memory;
  uint64_t sample = 0;
  for (const std::string& name : names) {
    const auto bytes = read_file_bytes(name, "");
    JpegImage image(bytes.data(), bytes.size(), name);
    for (const int denominator : {1, 2, 4, 8}) {
      const ImageView whole =
          image.decode({0, 0, image.height(), image.width()}, denominator, whole_memory).image;
      EXPECT_EQ(whole.height, (image.height() + denominator - 1) / denominator);
      for (int i = 0; i < 5; ++i) {
        const AddressedRandom random(1, Purpose::augmentation, 0, sample++);
        const PixelBox region = random_crop(random, image.height(), image.width(), {});
        const ImageView part = image.decode(region, denominator, memory).image;
        bool same = true;
        for (int64_t y = 0; y < part.height; ++y)
          same &= std::memcmp(part.pixels + y * part.stride,
                              whole.pixels + (region.top / denominator + y) * whole.stride +
                                  region.left / denominator * 3,
                              3 * part.width) == 0;
        EXPECT_TRUE(same) << name << " 1/" << denominator;
      }
    }
  }
}

TEST(RealJpegsData, ScaledDecodingChangesInputsLittle) {
  const auto names = files();
  if (names.empty()) GTEST_SKIP() << "no ImageNet images in $SMOOTHLAB_DATA";
  JpegAugmentOptions options;
  options.height = options.width = 128;
  const JpegAugmentation scaled(options, 1);
  options.scaled_decoding = false;
  const JpegAugmentation exact(options, 1);
  JpegAugmentation::Scratch scratch;
  std::vector<float> one(128 * 128 * 3), other(one.size());
  double mean = 0;
  for (const std::string& name : names) {
    const auto bytes = read_file_bytes(name, "");
    for (const Augment augment : {Augment::training, Augment::none}) {
      scaled.apply(bytes.data(), bytes.size(), name, {0, 0}, augment, scratch, one.data());
      exact.apply(bytes.data(), bytes.size(), name, {0, 0}, augment, scratch, other.data());
      double sum = 0;
      for (size_t i = 0; i < one.size(); ++i) sum += std::abs(one[i] - other[i]) * 127.5 / double(one.size());
      EXPECT_LT(sum, 8) << name;
      mean += sum / 2 / double(names.size());
    }
  }
  // Of 255, on average over pixels and images.
  EXPECT_LT(mean, 2);
  RecordProperty("mean_difference", std::to_string(mean));
}

}  // namespace
}  // namespace smoothlab::data
