#include "eval/logit_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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
    file.attribute("complete", int64_t{0});
  }
  EXPECT_THAT(problem_of(path), HasSubstr("not complete"));
  const LogitFile file(path, Incomplete::accept);
  EXPECT_FALSE(file.complete());
  EXPECT_EQ(file.attribute("complete"), "0");
  EXPECT_EQ(file.attribute("nothing"), "");
}

/// The problem of a file with one thing added to good rows.
template <typename Add>
std::string problem_with(const std::string& path, const Add& add) {
  {
    ForeignFile file(path);
    file.dataset<float>("logits", {3, 2}, {1, 2, 3, 4, 5, 6});
    file.dataset<int64_t>("labels", {3}, {0, 1, 1});
    add(file);
  }
  return problem_of(path);
}

template <typename T>
std::string problem_with_attribute(const std::string& path, const char* name, const T& value) {
  return problem_with(path, [&](ForeignFile& file) { file.attribute(name, value); });
}

// They were read as schema 1.
TEST_F(LogitFileTest, RefusesOtherSchemas) {
  for (const int64_t schema : {9, 0, -1})
    EXPECT_THAT(
        problem_with_attribute(path, "schema", schema),
        testing::AllOf(HasSubstr("schema is " + std::to_string(schema)), HasSubstr("reads schema 1")));
  EXPECT_THAT(problem_with_attribute(path, "schema", std::string("two")), HasSubstr("schema is \"two\""));
  EXPECT_EQ(problem_with_attribute(path, "schema", int64_t{1}), "opened");
}

TEST_F(LogitFileTest, RefusesAnAlphaThatIsNone) {
  for (const double alpha : {std::nan(""), -3.0, 1.5})
    EXPECT_THAT(problem_with_attribute(path, "alpha", alpha),
                testing::AllOf(HasSubstr(fmt::format("alpha is {},", alpha)), HasSubstr(path)));
  EXPECT_THAT(problem_with_attribute(path, "alpha", std::string("0.1")), HasSubstr("alpha is \"0.1\""));
  EXPECT_THAT(problem_with_attribute(path, "alpha", std::vector<double>{0.1, 0.2}),
              HasSubstr("alpha is [0.1,0.2]"));
  for (const double alpha : {0.0, 0.05, 1.0})
    EXPECT_EQ(problem_with_attribute(path, "alpha", alpha), "opened");
}

TEST_F(LogitFileTest, SaysWhereALinkLeads) {
  const auto linked = [&](const auto& link) {
    {
      ForeignFile file(path);
      file.dataset<int64_t>("labels", {3}, {0, 1, 1});
      link(file.id());
    }
    return problem_of(path);
  };
  EXPECT_THAT(linked([](hid_t file) { H5Lcreate_soft("/gone", file, "logits", H5P_DEFAULT, H5P_DEFAULT); }),
              HasSubstr("/logits is a link to /gone, where nothing can be read"));
  const auto external = [](hid_t file) {
    H5Lcreate_external("other.h5", "/logits", file, "logits", H5P_DEFAULT, H5P_DEFAULT);
  };
  EXPECT_THAT(linked(external), HasSubstr("a link to /logits of other.h5, where nothing can be read"));
  // It was read at the other's offsets in this file.
  { ForeignFile(folder / "other.h5").dataset<float>("logits", {3, 2}, {1, 2, 3, 4, 5, 6}); }
  EXPECT_THAT(linked(external), HasSubstr("/logits is a link into another file, " + folder.path()));
  EXPECT_THAT(problem_with(path,
                           [](ForeignFile& file) {
                             H5Lcreate_soft("/gone", file.id(), "sample_id", H5P_DEFAULT, H5P_DEFAULT);
                           }),
              HasSubstr("/sample_id is a link to /gone"))
      << "rows must not be numbered instead";
}

TEST_F(LogitFileTest, TheHintForSampleIdsFits) {
  EXPECT_THAT(problem_with(path,
                           [](ForeignFile& file) {
                             file.dataset<float>("sample_id", {3}, {0, 1, 2});
                           }),
              testing::AllOf(HasSubstr("/sample_id holds floating-point"), HasSubstr("store integers")));
}

TEST_F(LogitFileTest, GivesAttributesAsWhatTheyAre) {
  problem_with(path, [](ForeignFile& file) {
    file.attribute("step", int64_t{7});
    file.attribute("alpha", 0.1);
    file.attribute("task", std::string("toy"));
    file.attribute("seeds", std::vector<double>{1, 2.5});
  });
  EXPECT_EQ(LogitFile(path).attributes(),
            (nlohmann::ordered_json{{"alpha", 0.1}, {"seeds", {1.0, 2.5}}, {"step", 7}, {"task", "toy"}}));
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
