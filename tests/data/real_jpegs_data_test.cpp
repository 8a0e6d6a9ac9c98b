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

/// As timm and torchvision evaluate, by Pillow 9.4.0, over the 110 images in the order of their names:
///   t = math.floor(size / 0.875); s = min(image.size)
///   image = image.convert("RGB").resize([t if n == s else int(t * n / s) for n in image.size], filter)
///   left, top = (int(round((n - size) / 2.)) for n in image.size)
///   v = numpy.asarray(image.crop((left, top, left + size, top + size))).astype(int).ravel()
///   v.sum(), (v * (numpy.arange(v.size) % 1009)).sum()
TEST(RealJpegsData, SquareCentresEqualPillows) {
  const auto names = files();
  if (names.size() != 110) GTEST_SKIP() << "no sample of 110 ImageNet images in $SMOOTHLAB_DATA";
  struct Figure {
    int64_t size;
    Filter filter;
    int64_t sum, weighted;
  };
  for (const Figure& f : {Figure{299, Filter::bicubic, 3445030419, 1734745920154},
                          Figure{224, Filter::bilinear, 1933737941, 972740921753}}) {
    JpegAugmentOptions options;
    options.height = options.width = f.size;
    options.filter = f.filter;
    options.centre_shape = CentreShape::square;
    options.scaled_decoding = false;
    options.scaling = {};
    const JpegAugmentation augmentation(options, 1);
    JpegAugmentation::Scratch scratch;
    std::vector<float> seen(static_cast<size_t>(f.size * f.size * 3));
    int64_t sum = 0, weighted = 0;
    for (const std::string& name : names) {
      const auto bytes = read_file_bytes(name, "");
      augmentation.apply(bytes.data(), bytes.size(), name, {0, 0}, Augment::none, scratch, seen.data());
      for (size_t i = 0; i < seen.size(); ++i) {
        sum += static_cast<int64_t>(seen[i]);
        weighted += static_cast<int64_t>(seen[i]) * static_cast<int64_t>(i % 1009);
      }
    }
    EXPECT_EQ(sum, f.sum) << f.size;
    EXPECT_EQ(weighted, f.weighted) << f.size;
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
