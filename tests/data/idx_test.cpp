#include "data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "data/image_sets.h"
#include "support/idx_bytes.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using test::idx;
using testing::HasSubstr;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write_gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

/// Two training images and one test image of 2×3.
class Idx : public testing::Test {
 protected:
  Idx() {
    write(folder / "train-images-idx3-ubyte", idx({2, 2, 3}, "abcdefghijkl"));
    write(folder / "train-labels-idx1-ubyte", idx({2}, {3, 1}));
    write(folder / "t10k-images-idx3-ubyte", idx({1, 2, 3}, "ABCDEF"));
    write(folder / "t10k-labels-idx1-ubyte", idx({1}, {2}));
  }
  ImageSplits open(const std::string& data = "idx") {
    TaskOptions options;
    options.data = data;
    options.path = folder.path();
    return open_image_set(options);
  }
  /// The message that opening fails with.
  std::string failure(const std::string& data = "idx") {
    try {
      open(data);
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  test::TemporaryFolder folder;
};

TEST_F(Idx, OpensFourFiles) {
  const ImageSplits set = open();
  EXPECT_EQ(set.train->size(), 2);
  EXPECT_EQ(set.train->height, 2);
  EXPECT_EQ(set.train->width, 3);
  EXPECT_EQ(set.train->channels, 1);
  EXPECT_EQ(set.train->labels, (std::vector<int32_t>{3, 1}));
  EXPECT_EQ(std::string(set.train->pixels.begin(), set.train->pixels.end()), "abcdefghijkl");
  EXPECT_EQ(set.train->class_names, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(set.test->classes(), 4);
  EXPECT_EQ(std::string(set.test->image(0), set.test->image(0) + 6), "ABCDEF");
  EXPECT_EQ(open("mnist").train->classes(), 10);
}

TEST_F(Idx, ReadsGzipAndTheDottedSpelling) {
  std::filesystem::remove(folder / "train-images-idx3-ubyte");
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  write_gzip(folder / "train-images-idx3-ubyte.gz", idx({2, 2, 3}, "abcdefghijkl"));
  write(folder / "train-labels.idx1-ubyte", idx({2}, {2, 1}));
  const ImageSplits set = open();
  EXPECT_EQ(std::string(set.train->pixels.begin(), set.train->pixels.end()), "abcdefghijkl");
  EXPECT_EQ(set.train->labels, (std::vector<int32_t>{2, 1}));
}

TEST_F(Idx, FindsTheSetInItsParent) {
  TaskOptions options;
  options.data = "mnist";
  const test::TemporaryFolder parent;
  std::filesystem::copy(folder.path(), parent / "mnist", std::filesystem::copy_options::recursive);
  options.path = parent.path();
  EXPECT_EQ(open_image_set(options).train->size(), 2);
}

TEST_F(Idx, ReadsColour) {
  for (const char* part : {"train", "t10k"}) {
    std::filesystem::remove(folder / (std::string(part) + "-images-idx3-ubyte"));
    write(folder / (std::string(part) + "-images-idx4-ubyte"),
          idx({part[1] == 'r' ? 2u : 1u, 1, 1, 3}, part[1] == 'r' ? "abcdef" : "ABC"));
  }
  const ImageSplits set = open();
  EXPECT_EQ(set.train->channels, 3);
  EXPECT_EQ(set.train->image(1)[2], 'f');
}

TEST_F(Idx, MissingFileSaysWhereItShouldBeAndHowToGetIt) {
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(failure(), HasSubstr("no such file"));
  EXPECT_THAT(failure(), HasSubstr(folder / "t10k-labels-idx1-ubyte"));
  EXPECT_THAT(failure("mnist"), HasSubstr("smoothlab data fetch mnist --to DIR"));
}

TEST_F(Idx, TruncatedFileSaysHowMuchIsThere) {
  const std::string whole = idx({2, 2, 3}, "abcdefghijkl");
  write(folder / "train-images-idx3-ubyte", whole.substr(0, whole.size() - 5));
  EXPECT_THAT(failure(), HasSubstr("truncated: has 23 of 28 bytes"));
  EXPECT_THAT(failure(), HasSubstr("train-images-idx3-ubyte, offset 23"));
  write(folder / "train-images-idx3-ubyte", whole.substr(0, 10));
  EXPECT_THAT(failure(), HasSubstr("truncated: has 10 of at least 16 bytes"));
  write(folder / "train-images-idx3-ubyte", "");
  EXPECT_THAT(failure(), HasSubstr("truncated: has 0 of at least 4 bytes"));
}

TEST_F(Idx, TrailingBytes) {
  write(folder / "train-labels-idx1-ubyte", idx({2}, {3, 1, 4}));
  EXPECT_THAT(failure(), HasSubstr("has 11 bytes where its header says 10"));
  EXPECT_THAT(failure(), HasSubstr("offset 10"));
}

TEST_F(Idx, WrongMagicTypeAndSizes) {
  write(folder / "train-labels-idx1-ubyte", "\x1f\x8b" + idx({2}, {3, 1}));
  EXPECT_THAT(failure(), HasSubstr("not an IDX file: begins with 1f 8b"));
  std::string bytes = idx({2}, {3, 1});
  bytes[2] = 0x0D;
  write(folder / "train-labels-idx1-ubyte", bytes);
  EXPECT_THAT(failure(), HasSubstr("element type 0x0d"));
  write(folder / "train-labels-idx1-ubyte", idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, ""));
  EXPECT_THAT(failure(), HasSubstr("sizes that no file can have"));
  write(folder / "train-labels-idx1-ubyte", idx({2, 1}, {3, 1}));
  EXPECT_THAT(failure(), HasSubstr("labels with 2 dimensions, not 1"));
  write(folder / "train-labels-idx1-ubyte", idx({2}, {3, 1}));
  write(folder / "train-images-idx3-ubyte", idx({0, 2, 3}, ""));
  EXPECT_THAT(failure(), HasSubstr("2 labels for the 0 images"));
}

TEST_F(Idx, CountsThatDiffer) {
  write(folder / "train-labels-idx1-ubyte", idx({3}, {3, 1, 2}));
  EXPECT_THAT(failure(), HasSubstr("3 labels for the 2 images"));
}

TEST_F(Idx, LabelOutOfRange) {
  write(folder / "t10k-labels-idx1-ubyte", idx({1}, {4}));
  EXPECT_THAT(failure(), HasSubstr("label 4 of record 0 is not below 4 classes"));
  write(folder / "train-labels-idx1-ubyte", idx({2}, {3, 10}));
  EXPECT_THAT(failure("mnist"), HasSubstr("label 10 of record 1 is not below 10 classes"));
  EXPECT_THAT(failure("mnist"), HasSubstr("offset 9"));
}

TEST_F(Idx, SplitsOfDifferentShape) {
  write(folder / "t10k-images-idx3-ubyte", idx({1, 3, 2}, "ABCDEF"));
  EXPECT_THAT(failure(), HasSubstr("test images are 3x2x1, training images 2x3x1"));
}

TEST_F(Idx, DamagedGzip) {
  std::filesystem::remove(folder / "train-images-idx3-ubyte");
  const std::string path = folder / "train-images-idx3-ubyte.gz";
  write(path, idx({2, 2, 3}, "abcdefghijkl"));
  EXPECT_THAT(failure(), HasSubstr("not a gzip file"));
  write_gzip(path, idx({2, 2, 3}, "abcdefghijkl"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 6);
  EXPECT_THAT(failure(), HasSubstr("gzip file"));
  EXPECT_THAT(failure(), HasSubstr("train-images-idx3-ubyte.gz"));
}

}  // namespace
}  // namespace smoothlab::data
