#include "eval/segment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <string>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SegmentFileTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  }
  static std::string error_of(const std::string& path) {
    try {
      const SegmentFile file(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  test::TemporaryFolder folder;
};

TEST_F(SegmentFileTest, LinesEndAtNewlinesOnly) {
  EXPECT_THAT(SegmentFile(write("a", "one \n\ntwo\u2028three\r\nfour\rfive\n")).segments(),
              ElementsAre("one", "", "two\u2028three", "four\rfive"));
  EXPECT_THAT(SegmentFile(write("b", "one\ntwo")).segments(), ElementsAre("one", "two"));
  EXPECT_THAT(SegmentFile(write("c", "\n")).segments(), ElementsAre(""));
  EXPECT_THAT(SegmentFile(write("d", " \xEF\xBB\xBFx\n")).segments(), ElementsAre(" \xEF\xBB\xBFx"));
}

TEST_F(SegmentFileTest, GzipIsUnpacked) {
  const std::string path = folder / "a.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, "one\ntwo\n");
  gzclose(file);
  EXPECT_THAT(SegmentFile(path).segments(), ElementsAre("one", "two"));
  EXPECT_THAT(error_of(write("b.gz", "one\n")), HasSubstr("not a gzip file"));
  std::ofstream(path, std::ios::binary | std::ios::app) << "what follows";
  EXPECT_THAT(error_of(path), HasSubstr("damaged gzip file"));
}

TEST_F(SegmentFileTest, NulIsACharacterAndTold) {
  const SegmentFile file(write("a", std::string("one\nt\0wo\n", 9)));
  EXPECT_EQ(file.segments()[1], std::string_view("t\0wo", 4));
  EXPECT_EQ(file.line_with_nul(), 2U);
}

TEST_F(SegmentFileTest, BadFilesNameWhatAndWhere) {
  EXPECT_THAT(error_of(folder / "none"), HasSubstr("no such file"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("a folder"));
  EXPECT_THAT(error_of(write("empty", "")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(write("latin", "a\nb\n\xE9t\xE9\n")), HasSubstr("not UTF-8: byte 0xE9 ("));
  EXPECT_THAT(error_of(write("latin", "a\nb\n\xE9t\xE9\n")), HasSubstr("latin, line 3"));
}

TEST_F(SegmentFileTest, LengthsThatDifferNameBothFiles) {
  const SegmentFile a(write("a", "1\n2\n")), b(write("b", "1\n2\n3\n"));
  require_same_length(a, a);
  try {
    require_same_length(a, b);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("2 hypotheses and 3 references"), HasSubstr(a.name()),
                                             HasSubstr(b.name())));
  }
}

}  // namespace
}  // namespace smoothlab::eval
