#include "data/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Three training images and one test image of 1×1 in the MNIST layout.
void write_set(const test::TemporaryFolder& folder) {
  const std::string one = {0, 0, 0, 1};
  write(folder / "train-images-idx3-ubyte", std::string({0, 0, 8, 3, 0, 0, 0, 3}) + one + one + "abc");
  write(folder / "train-labels-idx1-ubyte", std::string({0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 2}));
  write(folder / "t10k-images.idx3-ubyte", std::string({0, 0, 8, 3}) + one + one + one + "A");
  write(folder / "t10k-labels-idx1-ubyte", std::string({0, 0, 8, 1}) + one + std::string(1, 1));
}

TEST(Verify, CountsAndTellsWhatDiffersFromThePublishedFiles) {
  const test::TemporaryFolder folder;
  write_set(folder);
  const VerifyReport report = verify("mnist", folder.path());
  EXPECT_EQ(report.folder, folder.path());
  ASSERT_EQ(report.splits.size(), 2u);
  EXPECT_EQ(report.splits[0].name, "train");
  EXPECT_EQ(report.splits[0].samples, 3);
  EXPECT_EQ(report.splits[0].class_counts, (std::vector<int64_t>{1, 0, 2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(report.splits[1].class_counts, (std::vector<int64_t>{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  ASSERT_EQ(report.files.size(), 4u);
  EXPECT_FALSE(report.official());
  EXPECT_EQ(report.differing(), 4);
  for (const VerifiedFile& file : report.files) {
    EXPECT_EQ(file.origin, Origin::differs);
    EXPECT_THAT(file.message, HasSubstr("differs from the official file (sha256 " + file.digest));
  }
  EXPECT_EQ(report.files[1].bytes, 11);
}

TEST(Verify, ChecksTheFileThatTrainingReads) {
  const test::TemporaryFolder folder;
  write_set(folder);
  // Read is what is unpacked, though the other spelling is there as well.
  write(folder / "t10k-images-idx3-ubyte.gz", "not even packed");
  const VerifyReport report = verify("mnist", folder.path());
  ASSERT_EQ(report.files.size(), 4u);
  EXPECT_EQ(report.files[2].path, folder / "t10k-images.idx3-ubyte");
}

TEST(Verify, OtherSetsHaveNothingToCompareWith) {
  const test::TemporaryFolder folder;
  write_set(folder);
  const VerifyReport report = verify("idx", folder.path());
  EXPECT_EQ(report.class_names.size(), 3u);
  ASSERT_EQ(report.files.size(), 4u);
  EXPECT_EQ(report.files[0].origin, Origin::unknown);
  EXPECT_THAT(report.files[0].message, HasSubstr("no published digest"));
  EXPECT_FALSE(report.official());
  EXPECT_EQ(report.differing(), 0);
}

TEST(Verify, GeneratedNeedsNoFiles) {
  const VerifyReport report = verify("generated", "");
  EXPECT_TRUE(report.files.empty());
  EXPECT_EQ(report.class_names.size(), 10u);
  EXPECT_EQ(report.splits[0].class_counts[0] * 10, report.splits[0].samples);
}

TEST(Verify, DamagedAndUnknown) {
  const test::TemporaryFolder folder;
  write_set(folder);
  write(folder / "t10k-labels-idx1-ubyte", "x");
  EXPECT_THROW(verify("mnist", folder.path()), DataError);
  EXPECT_THROW(verify("cifar10", folder.path()), DataError);
  EXPECT_THROW(verify("svhn", folder.path()), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
