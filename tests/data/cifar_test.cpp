#include "data/cifar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "data/image_sets.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Red plane r, r+1, …; green all g; blue all b.
std::string record(const std::string& labels, uint8_t r, uint8_t g, uint8_t b) {
  std::string bytes = labels;
  for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(r + i);
  return bytes + std::string(1024, static_cast<char>(g)) + std::string(1024, static_cast<char>(b));
}

class CifarFiles : public testing::Test {
 protected:
  CifarFiles() {
    std::filesystem::create_directory(ten());
    std::filesystem::create_directory(hundred());
    for (int i = 1; i <= 5; ++i)
      write(batch(i),
            record({static_cast<char>(i)}, 10, 20, 30) + record({static_cast<char>(i + 1)}, 11, 21, 31));
    write(ten() + "/test_batch.bin", record({9}, 1, 2, 3));
    std::string names;
    for (int i = 0; i < 10; ++i) names += "name" + std::to_string(i) + "\n";
    write(ten() + "/batches.meta.txt", names + "\n");
    write(hundred() + "/train.bin", record({4, 99}, 0, 0, 0) + record({19, 0}, 5, 6, 7));
    write(hundred() + "/test.bin", record({0, 50}, 0, 0, 0));
    names.clear();
    for (int i = 0; i < 100; ++i) names += "fine" + std::to_string(i) + "\r\n";
    write(hundred() + "/fine_label_names.txt", names);
  }
  std::string ten() const { return folder / "cifar-10-batches-bin"; }
  std::string hundred() const { return folder / "cifar-100-binary"; }
  std::string batch(int i) const { return ten() + "/data_batch_" + std::to_string(i) + ".bin"; }
  ImageSplits open(const std::string& data, const std::string& path) {
    TaskOptions options;
    options.data = data;
    options.path = path;
    return open_image_set(options);
  }
  std::string failure(const std::string& data = "cifar10") {
    try {
      open(data, folder.path());
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  test::TemporaryFolder folder;
};

TEST_F(CifarFiles, TenIsReadInOrderAndInterleaved) {
  const ImageSplits set = open("cifar10", folder.path());
  EXPECT_EQ(set.train->labels, (std::vector<int32_t>{1, 2, 2, 3, 3, 4, 4, 5, 5, 6}));
  EXPECT_EQ(set.test->labels, std::vector<int32_t>{9});
  EXPECT_EQ(set.train->class_names[3], "name3");
  EXPECT_EQ(set.train->classes(), 10);
  const uint8_t* image = set.train->image(1);
  for (int i = 0; i < 1024; ++i) {
    ASSERT_EQ(image[3 * i], static_cast<uint8_t>(11 + i));
    ASSERT_EQ(image[3 * i + 1], 21);
    ASSERT_EQ(image[3 * i + 2], 31);
  }
  EXPECT_EQ(open("cifar10", ten()).train->labels, set.train->labels);
}

TEST_F(CifarFiles, HundredUsesTheFineLabel) {
  const ImageSplits set = open("cifar100", folder.path());
  EXPECT_EQ(set.train->labels, (std::vector<int32_t>{99, 0}));
  EXPECT_EQ(set.test->labels, std::vector<int32_t>{50});
  EXPECT_EQ(set.train->class_names[99], "fine99");
  EXPECT_EQ(set.train->image(1)[0], 5);
}

TEST_F(CifarFiles, OddLength) {
  std::filesystem::resize_file(batch(3), 2 * 3073 - 1);
  EXPECT_THAT(failure(), HasSubstr("6145 bytes are not a whole number of 3073-byte records"));
  EXPECT_THAT(failure(), HasSubstr("data_batch_3.bin, offset 3073"));
  EXPECT_THAT(failure(), HasSubstr("smoothlab data fetch cifar10 --to DIR"));
  std::filesystem::resize_file(batch(3), 0);
  EXPECT_THAT(failure(), HasSubstr("0 bytes are not a whole number"));
}

TEST_F(CifarFiles, CutBetweenTwoRecords) {
  // Sparse files of zeros: label 0, black.
  for (int i = 1; i <= 5; ++i) std::filesystem::resize_file(batch(i), (i == 4 ? 9999 : 10000) * 3073);
  EXPECT_THAT(failure(), HasSubstr("has 9999 records where the published file has 10000"));
  EXPECT_THAT(failure(), HasSubstr("data_batch_4.bin, offset 30726927"));
  EXPECT_THAT(failure(), HasSubstr("smoothlab data fetch cifar10 --to DIR"));
  std::filesystem::resize_file(hundred() + "/train.bin", 49999 * 3074);
  std::filesystem::resize_file(hundred() + "/test.bin", 10000 * 3074);
  EXPECT_THAT(failure("cifar100"), HasSubstr("train.bin, offset 153696926"));
}

TEST_F(CifarFiles, LabelOutOfRange) {
  write(batch(2), record({1}, 1, 1, 1) + record({10}, 1, 1, 1));
  EXPECT_THAT(failure(), HasSubstr("label 10 is not below 10"));
  EXPECT_THAT(failure(), HasSubstr("data_batch_2.bin, record 1, offset 3073"));
  write(hundred() + "/test.bin", record({0, 100}, 0, 0, 0));
  EXPECT_THAT(failure("cifar100"), HasSubstr("test.bin, record 0, offset 1"));
}

TEST_F(CifarFiles, MissingFiles) {
  std::filesystem::remove(batch(4));
  EXPECT_THAT(failure(), HasSubstr("no such file"));
  EXPECT_THAT(failure(), HasSubstr("data_batch_4.bin"));
  std::filesystem::remove_all(hundred());
  EXPECT_THAT(failure("cifar100"), HasSubstr("smoothlab data fetch cifar100 --to DIR"));
}

TEST_F(CifarFiles, WrongNumberOfNames) {
  write(ten() + "/batches.meta.txt", "cat\ndog\n");
  EXPECT_THAT(failure(), HasSubstr("2 class names, not 10"));
}

}  // namespace
}  // namespace smoothlab::data
