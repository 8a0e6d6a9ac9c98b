#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "data/image_archive.h"
#include "data/image_classes.h"
#include "data/image_names.h"
#include "data/small_imagenet.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
namespace fs = std::filesystem;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// $SMOOTHLAB_DATA/imagenet: a sample of images "n01440764_tench.JPEG", the class index, and the synsets of
/// the validation images.
class ImagenetData : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("SMOOTHLAB_DATA");
    root_ = root ? std::string(root) + "/imagenet" : "";
    if (!root || !fs::exists(root_ + "/images")) GTEST_SKIP() << "no ImageNet in $SMOOTHLAB_DATA";
    for (const auto& entry : fs::directory_iterator(root_ + "/images"))
      images_[entry.path().filename().string()] = bytes_of(entry.path().string());
  }
  std::string root_;
  std::map<std::string, std::string> images_;
};

TEST_F(ImagenetData, RealImagesInOfficialTarsAreReadByteForByte) {
  const TemporaryFolder folder;
  std::string train;
  for (const auto& [name, bytes] : images_)
    train += tar_member(name.substr(0, 9) + ".tar", tar_archive(tar_member(name, bytes)));
  write_bytes(folder / "train.tar", tar_archive(train));
  // The validation tar has the same images under the first number of their class.
  const auto synsets = read_synset_list(root_ + "/imagenet_2012_validation_synset_labels.txt");
  ASSERT_EQ(synsets.size(), 50000U);
  std::map<std::string, std::string> numbered;
  for (const auto& [name, bytes] : images_) {
    const auto line = std::find(synsets.begin(), synsets.end(), name.substr(0, 9)) - synsets.begin();
    numbered[fmt::format("ILSVRC2012_val_{:08}.JPEG", line + 1)] = name;
  }
  std::string validation;
  for (const auto& [name, source] : numbered) validation += tar_member(name, images_[source]);
  write_bytes(folder / "val.tar", tar_archive(validation));

  PrepareImagenetOptions options;
  options.train = folder / "train.tar";
  options.validation = folder / "val.tar";
  options.validation_synsets = root_ + "/imagenet_2012_validation_synset_labels.txt";
  options.classes = root_ + "/imagenet_class_index.json";
  options.out = folder / "index";
  const auto prepared = prepare(options);
  EXPECT_EQ(prepared.facts.classes.size(), 1000);
  EXPECT_EQ(prepared.facts.classes.names()[0], "tench");
  EXPECT_EQ(prepared.facts.classes.names()[999], "toilet_tissue");

  std::vector<uint8_t> bytes;
  const ImageArchive training(options.out, "train"), evaluated(options.out, "validation");
  ASSERT_EQ(training.size(), static_cast<int64_t>(images_.size()));
  int64_t i = 0;
  for (const auto& [name, wanted] : images_) {
    training.read(i, bytes);
    EXPECT_EQ(training.name(i), name);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), wanted.begin(), wanted.end(), [](uint8_t a, char b) {
      return a == static_cast<uint8_t>(b);
    })) << name;
    EXPECT_EQ(training.synsets()[static_cast<size_t>(training.label(i))], name.substr(0, 9));
    EXPECT_EQ(image_stem(name).substr(10), training.class_names()[static_cast<size_t>(training.label(i))]);
    ++i;
  }
  ASSERT_EQ(evaluated.size(), static_cast<int64_t>(numbered.size()));
  i = 0;
  for (const auto& [name, source] : numbered) {
    evaluated.read(i, bytes);
    EXPECT_EQ(evaluated.name(i), name);
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), images_[source]);
    EXPECT_EQ(evaluated.synsets()[static_cast<size_t>(evaluated.label(i))], source.substr(0, 9));
    ++i;
  }
}

TEST_F(ImagenetData, TheListsAreThoseOfImagenet) {
  const ImageClasses classes = read_image_classes(root_ + "/imagenet_class_index.json");
  EXPECT_EQ(classes.size(), 1000);
  std::vector<int64_t> counts(1000);
  for (const std::string& synset : read_synset_list(root_ + "/imagenet_2012_validation_synset_labels.txt"))
    ++counts[static_cast<size_t>(classes.find(synset))];
  EXPECT_EQ(counts, std::vector<int64_t>(1000, 50));
}

}  // namespace
}  // namespace smoothlab::data
