#include "eval/logit_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "eval/hdf5_handle.h"
#include "foreign_file.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using test::exact_labels;
using test::exact_logits;
using test::ForeignFile;
using test::Storage;
using testing::HasSubstr;

/// The message and exit code of opening a file that is wrong.
std::string problem_of(const std::string& path) {
  try {
    const LogitFile file(path);
  } catch (const DataError& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "opened";
}

class LogitFileTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder;
  const std::string path = folder / "x.h5";
  static constexpr int64_t rows = 103, classes = 7;

  /// What a file written this way reads as.
  void expect_reads(const Storage& logits, const Storage& labels, bool direct) {
    {
      ForeignFile file(path);
      file.dataset<float>("logits", {rows, classes}, exact_logits(0, rows, classes), logits);
      file.dataset<int64_t>("labels", {rows}, exact_labels(0, rows, classes), labels);
    }
    const LogitFile file(path);
    EXPECT_EQ(file.rows(), rows);
    EXPECT_EQ(file.classes(), classes);
    EXPECT_EQ(file.penultimate(), 0);
    EXPECT_TRUE(file.complete());
    EXPECT_EQ(file.direct(), direct);
    // Cuts at odd places, so that reads cross chunks.
    std::vector<float> values(rows * classes);
    std::vector<int64_t> numbers(rows), ids(rows);
    for (int64_t first = 0; first < rows; first += 17) {
      const int64_t count = std::min<int64_t>(17, rows - first);
      file.read_logits(first, count, values.data() + first * classes);
      file.read_labels(first, count, numbers.data() + first);
      file.read_sample_ids(first, count, ids.data() + first);
    }
    EXPECT_EQ(values, exact_logits(0, rows, classes));
    EXPECT_EQ(numbers, exact_labels(0, rows, classes));
    EXPECT_EQ(ids[50], 50);
  }
};

TEST_F(LogitFileTest, ReadsContiguous) {
  expect_reads({}, {}, true);
}
TEST_F(LogitFileTest, ReadsChunkedByRows) {
  expect_reads({-1, {10, classes}, 0}, {-1, {8}, 0}, true);
}
TEST_F(LogitFileTest, ReadsChunksNarrowerThanARow) {
  expect_reads({-1, {10, 3}, 0}, {-1, {103}, 0}, false);
}
TEST_F(LogitFileTest, ReadsCompressed) {
  expect_reads({-1, {10, classes}, 4}, {-1, {50}, 4}, false);
}
TEST_F(LogitFileTest, ReadsDouble) {
  expect_reads({H5T_IEEE_F64LE, {}, 0}, {}, false);
}
TEST_F(LogitFileTest, ReadsBigEndian) {
  expect_reads({H5T_IEEE_F32BE, {}, 0}, {H5T_STD_I64BE, {}, 0}, false);
}
TEST_F(LogitFileTest, ReadsNarrowLabels) {
  expect_reads({}, {H5T_STD_U8LE, {}, 0}, true);
}
TEST_F(LogitFileTest, ReadsHalf) {
  const Hdf5Handle half = float16_type();
  expect_reads({half, {10, classes}, 0}, {H5T_STD_I32LE, {}, 0}, true);
}

TEST_F(LogitFileTest, RefusesRowsBeyondTheEnd) {
  expect_reads({}, {}, true);
  const LogitFile file(path);
  std::vector<float> values(2 * classes);
  EXPECT_THROW(file.read_logits(rows - 1, 2, values.data()), DataError);
  EXPECT_THROW(file.read_logits(-1, 2, values.data()), DataError);
}

TEST_F(LogitFileTest, NamesAMissingFileAFolderAndAnotherFormat) {
  EXPECT_THAT(problem_of(folder / "none.h5"), HasSubstr("no such file"));
  EXPECT_THAT(problem_of(folder.path()), HasSubstr("is a folder"));
  std::ofstream(path) << "logits: no\n";
  EXPECT_THAT(problem_of(path), testing::AllOf(HasSubstr("not an HDF5 file"), HasSubstr(path)));
}

TEST_F(LogitFileTest, NamesATruncatedFile) {
  expect_reads({}, {}, true);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
  EXPECT_THAT(problem_of(path), HasSubstr("cut short"));
}

TEST_F(LogitFileTest, ListsWhatIsThereInsteadOfLogits) {
  { ForeignFile(path).dataset<float>("scores", {3, 2}, {1, 2, 3, 4, 5, 6}); }
  EXPECT_THAT(problem_of(path), testing::AllOf(HasSubstr("no /logits"), HasSubstr("/scores")));
}

TEST_F(LogitFileTest, ListsWhatIsThereInsteadOfLabels) {
  { ForeignFile(path).dataset<float>("logits", {3, 2}, {1, 2, 3, 4, 5, 6}); }
  EXPECT_THAT(problem_of(path), HasSubstr("no /labels"));
}

/// Opens a file with these shapes and returns the problem.
std::string problem_of_shapes(const std::string& path, const std::vector<hsize_t>& logits,
                              const std::vector<hsize_t>& labels) {
  {
    ForeignFile file(path);
    file.dataset<float>("logits", logits, {});
    file.dataset<int64_t>("labels", labels, {});
  }
  return problem_of(path);
}

TEST_F(LogitFileTest, RefusesWrongShapes) {
  EXPECT_THAT(problem_of_shapes(path, {6}, {6}), HasSubstr("/logits is [6], not [rows, values]"));
  EXPECT_THAT(problem_of_shapes(path, {6, 2, 2}, {6}), HasSubstr("/logits is of rank 3"));
  EXPECT_THAT(problem_of_shapes(path, {6, 2}, {6, 1}), HasSubstr("/labels is [6, 1]"));
  EXPECT_THAT(problem_of_shapes(path, {6, 2}, {5}), HasSubstr("/labels has 5 rows and /logits 6"));
  EXPECT_THAT(problem_of_shapes(path, {6, 1}, {6}), HasSubstr("at least two classes"));
  EXPECT_THAT(problem_of_shapes(path, {0, 3}, {0}), HasSubstr("no rows"));
}

TEST_F(LogitFileTest, RefusesLabelsThatAreNotIntegers) {
  {
    ForeignFile file(path);
    file.dataset<float>("logits", {3, 2}, {1, 2, 3, 4, 5, 6});
    file.dataset<float>("labels", {3}, {0, 1, 1});
  }
  EXPECT_THAT(problem_of(path), HasSubstr("/labels holds floating-point numbers"));
}

TEST_F(LogitFileTest, RefusesAnIncompleteFileUnlessTold) {
  {
    ForeignFile file(path);
    file.dataset<float>("logits", {3, 2}, {1, 2, 3, 4, 5, 6});
    file.dataset<int64_t>("labels", {3}, {0, 1, 1});
    file.attribute("complete", 0);
  }
  EXPECT_THAT(problem_of(path), HasSubstr("not complete"));
  const LogitFile file(path, Incomplete::accept);
  EXPECT_FALSE(file.complete());
  EXPECT_EQ(file.attribute("complete"), "0");
  EXPECT_EQ(file.attribute("nothing"), "");
}

TEST_F(LogitFileTest, SaysThatThereAreNoTemplatesOrActivations) {
  expect_reads({}, {}, true);
  const LogitFile file(path);
  float value = 0;
  EXPECT_THROW(file.classifier(), DataError);
  EXPECT_THROW(file.read_penultimate(0, 1, &value), DataError);
  EXPECT_FALSE(file.has("classifier/weight"));
  EXPECT_TRUE(file.has("labels"));
}

}  // namespace
}  // namespace smoothlab::eval
