#include "data/augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::data {
namespace {

/// Every pixel of every channel differs from its neighbours, and none is zero.
std::vector<uint8_t> picture(int64_t height, int64_t width, int64_t channels) {
  std::vector<uint8_t> pixels(height * width * channels);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(1 + (i * 37 + i / 251) % 255);
  return pixels;
}

struct Subject {
  AugmentOptions options;
  int64_t height = 8, width = 8, channels = 3;
  uint64_t seed = 5;
  std::vector<uint8_t> image;

  /// [C, h, w]
  std::vector<float> apply(SampleAddress address, Augment augment, bool channels_last = false) {
    if (image.empty()) image = picture(height, width, channels);
    const Augmentation augmentation(options, seed, height, width, channels);
    std::vector<float> out(channels * augmentation.out_height() * augmentation.out_width());
    std::vector<uint8_t> scratch;
    augmentation.apply(image.data(), address, augment, channels_last, scratch, out.data());
    return out;
  }
  float at(int64_t row, int64_t column, int64_t channel) const {
    if (row < 0 || column < 0 || row >= height || column >= width) return 0;
    return image[(row * width + column) * channels + channel];
  }
  /// The crop of side `side` at (top, left), mirrored and then moved, by definition.
  std::vector<float> cut(int64_t side, int64_t top, int64_t left, bool flip, int64_t down,
                         int64_t right) const {
    std::vector<float> out;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x) {
          const int64_t row = y - down, column = x - right;
          const bool inside = row >= 0 && row < side && column >= 0 && column < side;
          out.push_back(inside ? at(top + row, left + (flip ? side - 1 - column : column), c) : 0);
        }
    return out;
  }
};

double chi_square(const std::map<std::vector<float>, int>& counts, int samples, int places) {
  double sum = 0;
  const double expected = static_cast<double>(samples) / places;
  for (const auto& [unused, count] : counts) sum += (count - expected) * (count - expected) / expected;
  return sum + (places - static_cast<double>(counts.size())) * expected;
}

TEST(Augmentation, ShiftTakesEachOf25PlacesEquallyOften) {
  Subject subject;
  subject.channels = 1;
  subject.options.shift = 2;
  subject.options.normalize = "none";
  std::map<std::vector<float>, int> counts;
  for (int64_t sample = 0; sample < 10000; ++sample) ++counts[subject.apply({sample, 0}, Augment::training)];
  EXPECT_EQ(counts.size(), 25u);
  for (int down = -2; down <= 2; ++down)
    for (int right = -2; right <= 2; ++right)
      EXPECT_EQ(counts.count(subject.cut(8, 0, 0, false, down, right)), 1u) << down << " " << right;
  EXPECT_LT(chi_square(counts, 10000, 25), 51.2);  // 99.9 % quantile at 24 degrees of freedom
}

TEST(Augmentation, PadCropAndFlipTakeEveryPlaceEquallyOften) {
  Subject subject;
  subject.options.pad = 2;
  subject.options.crop = 8;
  subject.options.flip = true;
  subject.options.normalize = "none";
  std::map<std::vector<float>, int> counts;
  for (int64_t epoch = 0; epoch < 10000; ++epoch) ++counts[subject.apply({3, epoch}, Augment::training)];
  EXPECT_EQ(counts.size(), 50u);
  for (int top = -2; top <= 2; ++top)
    for (int left = -2; left <= 2; ++left)
      for (const bool flip : {false, true})
        EXPECT_EQ(counts.count(subject.cut(8, top, left, flip, 0, 0)), 1u);
  EXPECT_LT(chi_square(counts, 10000, 50), 85.4);  // 49 degrees of freedom
}

TEST(Augmentation, GeometryComposesInTheDocumentedOrder) {
  for (const auto& [height, width, channels] : {std::array<int64_t, 3>{9, 7, 1}, {7, 9, 3}, {6, 6, 4}}) {
    Subject subject;
    subject.height = height;
    subject.width = width;
    subject.channels = channels;
    subject.options.pad = 3;
    subject.options.crop = 8;
    subject.options.flip = true;
    subject.options.shift = 3;
    subject.options.normalize = "none";
    for (int64_t sample = 0; sample < 200; ++sample) {
      const AddressedRandom random(subject.seed, Purpose::augmentation, 2, sample);
      const int64_t top = static_cast<int64_t>(random.below(height + 6 - 8 + 1, 0)) - 3;
      const int64_t left = static_cast<int64_t>(random.below(width + 6 - 8 + 1, 1)) - 3;
      const bool flip = random.below(2, 2) == 1;
      const int64_t place = static_cast<int64_t>(random.below(49, 3));
      const auto out = subject.apply({sample, 2}, Augment::training);
      ASSERT_EQ(out, subject.cut(8, top, left, flip, place / 7 - 3, place % 7 - 3)) << sample;
    }
  }
}

/// tf.image's functions one after the other, in double precision.
std::vector<double> tutorial(const std::vector<float>& crop, int64_t channels, double delta, double factor) {
  const size_t n = crop.size(), plane = n / channels;
  std::vector<double> values(crop.begin(), crop.end());
  for (double& v : values) v += delta;      // random_brightness
  for (int64_t c = 0; c < channels; ++c) {  // random_contrast
    double mean = 0;
    for (size_t i = 0; i < plane; ++i) mean += values[c * plane + i] / static_cast<double>(plane);
    for (size_t i = 0; i < plane; ++i) values[c * plane + i] = (values[c * plane + i] - mean) * factor + mean;
  }
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  double variance = 0;
  for (const double v : values) variance += (v - mean) * (v - mean) / static_cast<double>(n);
  const double deviation = std::max(std::sqrt(variance), 1 / std::sqrt(static_cast<double>(n)));
  for (double& v : values) v = (v - mean) / deviation;  // per_image_standardization
  return values;
}

TEST(Augmentation, TutorialChain) {
  Subject subject;
  subject.height = subject.width = 32;
  subject.options.crop = 24;
  subject.options.flip = true;
  subject.options.brightness = 63;
  subject.options.contrast_low = 0.2;
  subject.options.contrast_high = 1.8;
  subject.options.normalize = "per_image";
  for (int64_t sample = 0; sample < 50; ++sample) {
    const AddressedRandom random(subject.seed, Purpose::augmentation, 1, sample);
    const auto out = subject.apply({sample, 1}, Augment::training);
    const auto crop = subject.cut(24, static_cast<int64_t>(random.below(9, 0)),
                                  static_cast<int64_t>(random.below(9, 1)), random.below(2, 2) == 1, 0, 0);
    const auto expected = tutorial(crop, 3, 63 * (2 * random.uniform(4) - 1), 0.2 + 1.6 * random.uniform(5));
    for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 2e-6) << sample << " " << i;
  }
}

TEST(Augmentation, StandardisationOfLargeImages) {
  // Wide: more bytes a row than are summed at once. High: squares of white pixels beyond 32 bits.
  for (const auto& [height, width, channels] :
       {std::array<int64_t, 3>{5, 200, 3}, {3, 300, 1}, {140000, 1, 3}}) {
    Subject subject;
    subject.height = height;
    subject.width = width;
    subject.channels = channels;
    subject.image = picture(height, width, channels);
    if (height > width) std::fill(subject.image.begin() + 70000 * 3, subject.image.end(), 255);
    subject.options.normalize = "per_image";
    subject.options.contrast_low = subject.options.contrast_high = 0.5;  // around the channels' means
    const auto out = subject.apply({0, 0}, Augment::training);
    std::vector<float> planes;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < height * width; ++i) planes.push_back(subject.image[i * channels + c]);
    const auto expected = tutorial(planes, channels, 0, 0.5);
    for (size_t i = 0; i < out.size(); ++i)
      ASSERT_NEAR(out[i], expected[i], 1e-6 * std::max(1.0, std::abs(expected[i]))) << height << " " << i;
  }
}

TEST(Augmentation, BrightnessAndContrastAreUniform) {
  Subject subject;
  subject.height = subject.width = 2;
  subject.channels = 1;
  subject.image = {100, 100, 100, 140};  // mean 110
  subject.options.brightness = 50;
  subject.options.contrast_low = 0.5;
  subject.options.contrast_high = 1.5;
  subject.options.normalize = "none";
  double brightness = 0, contrast = 0, brightness_square = 0, contrast_square = 0;
  constexpr int n = 20000;
  for (int64_t sample = 0; sample < n; ++sample) {
    const auto out = subject.apply({sample, 0}, Augment::training);
    const double b = (out[0] + out[1] + out[2] + out[3]) / 4.0 - 110, f = (out[3] - out[0]) / 40.0;
    ASSERT_LE(std::abs(b), 50.001);
    ASSERT_LE(std::abs(f - 1), 0.50001);
    brightness += b / n;
    contrast += f / n;
    brightness_square += b * b / n;
    contrast_square += (f - 1) * (f - 1) / n;
  }
  // Five standard errors; a uniform on (−a, a) has variance a²/3.
  EXPECT_NEAR(brightness, 0, 5 * 28.9 / std::sqrt(n));
  EXPECT_NEAR(contrast, 1, 5 * 0.289 / std::sqrt(n));
  EXPECT_NEAR(brightness_square, 2500 / 3.0, 5 * 745 / std::sqrt(n));
  EXPECT_NEAR(contrast_square, 0.25 / 3, 5 * 0.0745 / std::sqrt(n));
}

TEST(Augmentation, TransformsDoNotChangeEachOther) {
  Subject plain, bright;
  plain.options.pad = bright.options.pad = 3;
  plain.options.crop = bright.options.crop = 8;
  plain.options.normalize = bright.options.normalize = "none";
  bright.options.brightness = 10;
  for (int64_t sample = 0; sample < 20; ++sample) {
    const auto a = plain.apply({sample, 0}, Augment::training),
               b = bright.apply({sample, 0}, Augment::training);
    for (size_t i = 1; i < a.size(); ++i) ASSERT_NEAR(b[i] - a[i], b[0] - a[0], 1e-4);
  }
}

TEST(Augmentation, AddressDecidesAlone) {
  Subject subject;
  subject.options.pad = 8;
  subject.options.crop = 8;
  subject.options.flip = true;
  const auto first = subject.apply({4, 7}, Augment::training);
  EXPECT_EQ(subject.apply({4, 7}, Augment::training), first);
  EXPECT_NE(subject.apply({4, 8}, Augment::training), first);
  EXPECT_NE(subject.apply({5, 7}, Augment::training), first);
  subject.seed = 6;
  EXPECT_NE(subject.apply({4, 7}, Augment::training), first);
}

TEST(Augmentation, EvaluationCropsTheMiddle) {
  Subject subject;
  subject.options.normalize = "none";
  subject.options.flip = true;
  subject.options.shift = 2;
  subject.options.brightness = 40;
  subject.options.contrast_low = 0.2;
  subject.options.contrast_high = 1.8;
  subject.options.crop = 4;
  const auto out = subject.apply({1, 1}, Augment::none);
  EXPECT_EQ(out, subject.cut(4, 2, 2, false, 0, 0));
  subject.options.pad = 4;
  subject.options.crop = 8;
  EXPECT_EQ(subject.apply({1, 9}, Augment::none), subject.cut(8, 0, 0, false, 0, 0));
  subject.options.crop = 12;
  EXPECT_EQ(subject.apply({1, 9}, Augment::none), subject.cut(12, -2, -2, false, 0, 0));
  subject.options.pad = 0;
  subject.options.crop = 5;  // odd: one more is cut off at the bottom and the right
  EXPECT_EQ(subject.apply({1, 9}, Augment::none), subject.cut(5, 1, 1, false, 0, 0));
}

TEST(Augmentation, UnitIsDivisionBy255) {
  Subject subject;
  const auto out = subject.apply({0, 0}, Augment::training);
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < 64; ++i)
      EXPECT_FLOAT_EQ(out[c * 64 + i], static_cast<float>(subject.image[i * 3 + c]) / 255.0f);
}

TEST(Augmentation, StandardisationOfAConstantImageIsZero) {
  Subject subject;
  subject.image.assign(8 * 8 * 3, 77);
  subject.options.normalize = "per_image";
  for (const float v : subject.apply({0, 0}, Augment::none)) EXPECT_EQ(v, 0);
}

TEST(Augmentation, StandardisationHasAFloor) {
  // One pixel of 300 one step brighter: the deviation, 0.0577, is above 1/√300 = 0.05774 by a hair; with the
  // contrast lowered to a tenth it is below, and the floor divides instead.
  Subject subject;
  subject.height = subject.width = 10;
  subject.image.assign(300, 0);
  subject.image[0] = 1;
  subject.options.normalize = "per_image";
  subject.options.contrast_low = subject.options.contrast_high = 0.1;
  const auto out = subject.apply({0, 0}, Augment::training);
  const double mean = 0.01;  // of its channel
  EXPECT_NEAR(out[0], ((1 - mean) * 0.1 + mean - 1.0 / 300) * std::sqrt(300.0), 1e-6);
}

TEST(Augmentation, ChannelsLastHoldsTheSameValues) {
  for (const int64_t channels : {1, 3, 4}) {
    Subject subject;
    subject.channels = channels;
    subject.options.pad = 2;
    subject.options.crop = 7;
    subject.options.flip = true;
    subject.options.brightness = 10;
    subject.options.normalize = "per_image";
    for (int64_t sample = 0; sample < 10; ++sample) {
      const auto first = subject.apply({sample, 0}, Augment::training);
      const auto last = subject.apply({sample, 0}, Augment::training, true);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < 49; ++i) ASSERT_EQ(first[c * 49 + i], last[i * channels + c]);
    }
  }
}

TEST(Augmentation, RefusesWhatCannotBeApplied) {
  const auto refuse = [](auto change, const char* key) {
    Subject subject;
    change(subject.options);
    try {
      subject.apply({0, 0}, Augment::none);
      ADD_FAILURE() << key;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.where(), std::string("task.augment.") + key);
    }
  };
  refuse([](AugmentOptions& o) { o.pad = -1; }, "pad");
  refuse([](AugmentOptions& o) { o.pad = 2; }, "pad");
  refuse([](AugmentOptions& o) { o.crop = 9; }, "crop");
  refuse([](AugmentOptions& o) { o.crop = -1; }, "crop");
  refuse([](AugmentOptions& o) { o.shift = 8; }, "shift");
  refuse([](AugmentOptions& o) { o.brightness = -1; }, "brightness");
  refuse([](AugmentOptions& o) { o.contrast_low = 2; }, "contrast");
  refuse([](AugmentOptions& o) { o.normalize = "mean"; }, "normalize");
}

}  // namespace
}  // namespace smoothlab::data
