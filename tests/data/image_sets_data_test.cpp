#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "data/image_sets.h"
#include "data/verify.h"

// Reference figures: NumPy, read by numpy.fromfile with the formats' published layout; mean() in float64.

namespace smoothlab::data {
namespace {

/// $SMOOTHLAB_DATA where it holds this file, else empty.
std::string data_folder(const std::string& needed) {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  return root && std::filesystem::exists(std::string(root) + "/" + needed) ? root : "";
}

std::vector<int32_t> first_labels(const LabelledImages& images) {
  return {images.labels.begin(), images.labels.begin() + 8};
}

std::vector<double> channel_means(const LabelledImages& images) {
  std::vector<double> means(images.channels);
  for (size_t i = 0; i < images.pixels.size(); ++i) means[i % images.channels] += images.pixels[i];
  for (double& mean : means) mean /= static_cast<double>(images.size() * images.height * images.width);
  return means;
}

std::array<int, 3> pixel(const LabelledImages& images, int64_t sample, int64_t row, int64_t column) {
  const uint8_t* p = images.image(sample) + (row * images.width + column) * images.channels;
  return {p[0], p[1], p[2]};
}

ImageSplits open(const std::string& data, const std::string& path) {
  TaskOptions options;
  options.data = data;
  options.path = path;
  return open_image_set(options);
}

TEST(ImageSetsData, Mnist) {
  const std::string root = data_folder("mnist");
  if (root.empty()) GTEST_SKIP() << "no MNIST in $SMOOTHLAB_DATA";
  const ImageSplits set = open("mnist", root);
  EXPECT_EQ(set.train->size(), 60000);
  EXPECT_EQ(set.test->size(), 10000);
  EXPECT_EQ(set.train->height, 28);
  EXPECT_EQ(set.train->channels, 1);
  EXPECT_EQ(first_labels(*set.train), (std::vector<int32_t>{5, 0, 4, 1, 9, 2, 1, 3}));
  EXPECT_EQ(first_labels(*set.test), (std::vector<int32_t>{7, 2, 1, 0, 4, 1, 4, 9}));
  EXPECT_NEAR(channel_means(*set.train)[0], 33.318421449829934, 1e-9);
  EXPECT_NEAR(channel_means(*set.test)[0], 33.791224489795916, 1e-9);
  const VerifyReport report = verify("mnist", root);
  EXPECT_EQ(report.splits[0].class_counts,
            (std::vector<int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(report.splits[1].class_counts,
            (std::vector<int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(report.files.size(), 4u);
  EXPECT_TRUE(report.official());
}

TEST(ImageSetsData, Cifar10) {
  const std::string root = data_folder("cifar-10-batches-bin");
  if (root.empty()) GTEST_SKIP() << "no CIFAR-10 in $SMOOTHLAB_DATA";
  const ImageSplits set = open("cifar10", root);
  EXPECT_EQ(first_labels(*set.train), (std::vector<int32_t>{6, 9, 9, 4, 1, 1, 2, 7}));
  EXPECT_EQ(first_labels(*set.test), (std::vector<int32_t>{3, 8, 8, 0, 6, 6, 1, 6}));
  EXPECT_EQ(set.train->class_names[6], "frog");
  // Copies exist in which a handful of images went through a lossy codec: the tolerance takes them in.
  const auto means = channel_means(*set.train);
  EXPECT_NEAR(means[0], 125.30691, 1e-3);
  EXPECT_NEAR(means[1], 122.95036, 1e-3);
  EXPECT_NEAR(means[2], 113.86534, 1e-3);
  EXPECT_EQ(pixel(*set.train, 0, 5, 7), (std::array<int, 3>{119, 77, 37}));
  EXPECT_EQ(pixel(*set.train, 49999, 31, 0), (std::array<int, 3>{122, 119, 114}));
  const VerifyReport report = verify("cifar10", root);
  EXPECT_EQ(report.splits[0].samples, 50000);
  EXPECT_EQ(report.splits[0].class_counts, std::vector<int64_t>(10, 5000));
  EXPECT_EQ(report.splits[1].class_counts, std::vector<int64_t>(10, 1000));
  ASSERT_EQ(report.files.size(), 7u);
  EXPECT_EQ(report.files[6].origin, Origin::official);  // the names
  // A copy that knows of its lossy images lists them beside the batches.
  EXPECT_EQ(report.official(), !std::filesystem::exists(report.folder + "/lossy_indices.txt"));
}

TEST(ImageSetsData, Cifar100) {
  const std::string root = data_folder("cifar-100-binary");
  if (root.empty()) GTEST_SKIP() << "no CIFAR-100 in $SMOOTHLAB_DATA";
  const ImageSplits set = open("cifar100", root + "/cifar-100-binary");
  EXPECT_EQ(first_labels(*set.train), (std::vector<int32_t>{19, 29, 0, 11, 1, 86, 90, 28}));
  EXPECT_EQ(first_labels(*set.test), (std::vector<int32_t>{49, 33, 72, 51, 71, 92, 15, 14}));
  EXPECT_EQ(set.train->class_names[19], "cattle");
  const auto means = channel_means(*set.train);
  EXPECT_NEAR(means[0], 129.30416560546874, 1e-9);
  EXPECT_NEAR(means[1], 124.0699626953125, 1e-9);
  EXPECT_NEAR(means[2], 112.43405005859375, 1e-9);
  EXPECT_EQ(pixel(*set.test, 9999, 31, 0), (std::array<int, 3>{115, 108, 94}));
  const VerifyReport report = verify("cifar100", root);
  EXPECT_EQ(report.splits[0].class_counts, std::vector<int64_t>(100, 500));
  EXPECT_EQ(report.splits[1].class_counts, std::vector<int64_t>(100, 100));
  EXPECT_TRUE(report.official());
}

TEST(ImageSetsData, ThePaperSplitHoldsOutTheLastTenThousand) {
  const std::string root = data_folder("cifar-100-binary");
  if (root.empty()) GTEST_SKIP() << "no CIFAR-100 in $SMOOTHLAB_DATA";
  TaskOptions options;
  options.data = "cifar100";
  options.path = root;
  options.validation = 10000;
  const Task task = open_task(options, 1);
  EXPECT_EQ(task.train->size(), 40000);
  EXPECT_EQ(task.validation->size(), 10000);
  EXPECT_EQ(task.test->size(), 10000);
  const Batch last = task.validation->collate({{9999, 0}}, Augment::none);
  EXPECT_EQ(last.labels.data_ptr<int64_t>()[0], 73);  // of the last training record
}

}  // namespace
}  // namespace smoothlab::data
