#include "data/text_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <vector>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;
using Lines = std::vector<std::string>;

class TextLinesFile : public testing::Test {
 protected:
  std::string file(const std::string& bytes, const std::string& name = "text") const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  /// One member of a .gz file; several may follow each other.
  static std::string packed(const std::string& bytes) {
    const test::TemporaryFolder scratch;
    gzFile out = gzopen((scratch / "a.gz").c_str(), "wb");
    gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(out);
    std::ifstream in(scratch / "a.gz", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static Lines all(const std::string& path) {
    TextLines lines(path);
    Lines read;
    for (std::string line; lines.next(line);) {
      read.push_back(line);
      EXPECT_EQ(lines.number(), static_cast<int64_t>(read.size()));
    }
    return read;
  }
  static std::string failure(const std::string& path) {
    try {
      all(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  const test::TemporaryFolder folder;
};

TEST_F(TextLinesFile, EndsOfLines) {
  EXPECT_EQ(all(file("")), Lines());
  EXPECT_EQ(all(file("\n")), Lines({""}));
  EXPECT_EQ(all(file("a\nb\n")), Lines({"a", "b"}));
  EXPECT_EQ(all(file("a\nb")), Lines({"a", "b"}));
  EXPECT_EQ(all(file("a\r\nb\r\n\r\nc")), Lines({"a", "b", "", "c"}));
  EXPECT_EQ(all(file("a\n\n\nb\n\n")), Lines({"a", "", "", "b", ""}));
}

// Python takes a lone CR for the end of a line when it reads what was written out.
TEST_F(TextLinesFile, ACarriageReturnWithinALineBecomesABlank) {
  EXPECT_EQ(all(file("a\rb\r\r\nc\n")), Lines({"a b ", "c"}));
}

TEST_F(TextLinesFile, ByteOrderMarkIsLeftOutAtTheStartAlone) {
  EXPECT_EQ(all(file("\xEF\xBB\xBF"
                     "a\n\xEF\xBB\xBF"
                     "b\n")),
            Lines({"a",
                   "\xEF\xBB\xBF"
                   "b"}));
  EXPECT_EQ(all(file("\xEF\xBB\xBF")), Lines({""}));
}

TEST_F(TextLinesFile, Packed) {
  EXPECT_EQ(all(file(packed("Grüße\r\nb"), "text.gz")), Lines({"Grüße", "b"}));
  EXPECT_EQ(all(file(packed("a\nb") + packed("c\nd\n"), "text.gz")), Lines({"a", "bc", "d"}));
  EXPECT_EQ(all(file(packed(""), "text.gz")), Lines());
}

TEST_F(TextLinesFile, LongerThanTheBlocksItIsReadIn) {
  Lines lines;
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    lines.push_back(std::string(static_cast<size_t>(i * 37 % 1501), static_cast<char>('a' + i % 26)) + "ß");
    text += lines.back() + "\n";
  }
  lines.push_back(std::string(1 << 20, 'x'));
  text += lines.back();
  EXPECT_EQ(all(file(text)), lines);
  EXPECT_EQ(all(file(packed(text), "text.gz")), lines);
}

TEST_F(TextLinesFile, WhatIsNoTextNamesLineAndByte) {
  EXPECT_THAT(failure(file("a\nbc\xFF\n")),
              HasSubstr("byte 2 of the line (0xff) is no UTF-8 (" + (folder / "text") + ", line 2)"));
  EXPECT_THAT(failure(file("a\n\nGr\xFC\xDF"
                           "e\n")),
              HasSubstr("byte 2 of the line (0xfc) is no UTF-8"));
  EXPECT_THAT(failure(file("cut \xE2\x82")), HasSubstr("byte 4 of the line"));
  EXPECT_THAT(failure(file(std::string("abc\nd\0e\n", 8))),
              HasSubstr("a NUL at byte 1 of the line (" + (folder / "text") + ", line 2)"));
  EXPECT_THAT(failure(file("a\n" + std::string((1 << 20) + 1, 'x'))), HasSubstr("line 2"));
}

TEST_F(TextLinesFile, FilesThatCannotBeRead) {
  EXPECT_THAT(failure(folder / "none"), HasSubstr("no such file"));
  EXPECT_THAT(failure(folder.path()), HasSubstr("a folder, not a file"));
  EXPECT_THAT(failure(file("plain\n", "text.gz")), HasSubstr("not a gzip file"));
  EXPECT_THAT(failure(file(packed("a\n"), "text")), HasSubstr("a gzip file by another name"));
  std::string noise;
  for (uint32_t i = 0; i < 100000; ++i) noise += std::to_string(i * 2654435761U) + "\n";
  const std::string whole = packed(noise);
  EXPECT_THAT(failure(file(whole.substr(0, whole.size() / 2), "text.gz")), HasSubstr("truncated gzip file"));
  EXPECT_THAT(failure(file(whole.substr(0, whole.size() - 3), "text.gz")), HasSubstr("truncated gzip file"));
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 0x40;
  EXPECT_THAT(failure(file(damaged, "text.gz")), HasSubstr("text.gz, offset "));
}

// zlib's gzread took what follows the first member for a file's end where it was damaged.
TEST_F(TextLinesFile, ADamagedSecondMemberIsNoEnd) {
  const std::string first = packed("a\nb\n"), second = packed("c\n");
  for (const size_t byte : {size_t{0}, size_t{1}, size_t{2}, second.size() - 5}) {
    std::string damaged = second;
    damaged[byte] ^= 0x40;
    EXPECT_THAT(failure(file(first + damaged, "text.gz")), HasSubstr("damaged gzip file")) << byte;
  }
  EXPECT_THAT(failure(file(first + "garbage", "text.gz")), HasSubstr("text.gz, offset "));
  EXPECT_THAT(failure(file(first + second.substr(0, 1), "text.gz")), HasSubstr("truncated gzip file"));
  EXPECT_EQ(all(file(first + packed("") + second, "text.gz")), Lines({"a", "b", "c"}));
  EXPECT_EQ(all(file(first + second + std::string(600, '\0'), "text.gz")), Lines({"a", "b", "c"}))
      << "zeros pad a tape's blocks";
  EXPECT_THAT(failure(file(first + std::string(3, '\0') + second, "text.gz")),
              HasSubstr("damaged gzip file"));
}

}  // namespace
}  // namespace smoothlab::data
