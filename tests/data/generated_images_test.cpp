#include "data/generated_images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

GeneratedOptions small(int64_t samples = 200) {
  GeneratedOptions options;
  options.samples = samples;
  return options;
}

/// Mean absolute difference of two images.
double difference(const LabelledImages& a, const LabelledImages& b, int64_t sample) {
  double sum = 0;
  for (int64_t i = 0; i < a.image_bytes(); ++i) sum += std::abs(a.image(sample)[i] - b.image(sample)[i]);
  return sum / static_cast<double>(a.image_bytes());
}

TEST(GeneratedImages, AreAFunctionOfTheOptions) {
  const LabelledImages images = generate_images(small());
  EXPECT_EQ(images.height, 32);
  EXPECT_EQ(images.width, 32);
  EXPECT_EQ(images.channels, 3);
  EXPECT_EQ(images.size(), 200);
  EXPECT_EQ(generate_images(small()).pixels, images.pixels);
  GeneratedOptions options = small();
  options.seed = 2;
  EXPECT_NE(generate_images(options).pixels, images.pixels);
  options = small();
  options.split = 1;
  EXPECT_NE(generate_images(options).pixels, images.pixels);
}

TEST(GeneratedImages, MoreSamplesDoNotChangeTheFirst) {
  const LabelledImages few = generate_images(small(50)), many = generate_images(small(70));
  EXPECT_TRUE(std::equal(few.pixels.begin(), few.pixels.end(), many.pixels.begin()));
}

TEST(GeneratedImages, ClassesAreBalancedAndNamed) {
  for (const int64_t classes : {4, 7, 10, 24, 40}) {
    GeneratedOptions options = small(3 * classes);
    options.classes = classes;
    const LabelledImages images = generate_images(options);
    EXPECT_EQ(images.classes(), classes);
    const std::set<std::string> names(images.class_names.begin(), images.class_names.end());
    EXPECT_EQ(names.size(), static_cast<size_t>(classes));
    for (int64_t c = 0; c < classes; ++c)
      EXPECT_EQ(std::count(images.labels.begin(), images.labels.end(), c), 3);
  }
}

TEST(GeneratedImages, NoiseHasTheDeviationAskedFor) {
  GeneratedOptions clean = small(300), noisy = small(300);
  clean.noise = 1e-9;
  noisy.noise = 20;
  const LabelledImages a = generate_images(clean), b = generate_images(noisy);
  double sum = 0, square = 0;
  int64_t count = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    if (a.pixels[i] < 100 || a.pixels[i] > 155) continue;  // five deviations from being clipped
    const double d = static_cast<double>(b.pixels[i]) - a.pixels[i];
    sum += d;
    square += d * d;
    ++count;
  }
  ASSERT_GT(count, 20000);
  const double n = static_cast<double>(count);
  EXPECT_NEAR(sum / n, 0, 5 * 20 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square / n), 20, 0.3);
}

// The mean images of a pair are closer to each other than to those of any other class.
TEST(GeneratedImages, PairsLookAlike) {
  GeneratedOptions options = small(6000);
  options.noise = 1e-9;
  const LabelledImages images = generate_images(options);
  std::vector<std::vector<double>> means(10, std::vector<double>(images.image_bytes()));
  for (int64_t i = 0; i < images.size(); ++i)
    for (int64_t p = 0; p < images.image_bytes(); ++p)
      means[images.labels[i]][p] += images.image(i)[p] / 600.0;
  const auto distance = [&](int a, int b) {
    double sum = 0;
    for (size_t p = 0; p < means[a].size(); ++p) sum += std::abs(means[a][p] - means[b][p]);
    return sum / static_cast<double>(means[a].size());
  };
  for (int pair = 0; pair < 5; ++pair)
    for (int other = 0; other < 5; ++other)
      if (other != pair) {
        EXPECT_LT(distance(2 * pair, 2 * pair + 1), distance(2 * pair, 2 * other)) << pair << other;
      }
}

TEST(GeneratedImages, DefaultNoiseIsUsedForZero) {
  GeneratedOptions options = small(20);
  const LabelledImages zero = generate_images(options);
  options.noise = default_noise;
  EXPECT_EQ(generate_images(options).pixels, zero.pixels);
  options.noise = default_noise / 2;
  EXPECT_GT(difference(generate_images(options), zero, 3), 1);
}

TEST(GeneratedImages, RefusesImpossibleOptions) {
  for (const int64_t classes : {0, 3, 41}) {
    GeneratedOptions options = small();
    options.classes = classes;
    EXPECT_THROW(generate_images(options), UsageError);
  }
  EXPECT_THROW(generate_images(small(0)), UsageError);
  GeneratedOptions options = small();
  for (const double noise : {-1.0, 256.0, std::nan("")}) {
    options.noise = noise;
    EXPECT_THROW(generate_images(options), UsageError);
  }
}

}  // namespace
}  // namespace smoothlab::data
