#include "data/tar_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "cluster/error.h"
#include "data/tar_bytes.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
using testing::ElementsAre;
using testing::HasSubstr;

class TarScanOfFile : public testing::Test {
 protected:
  std::vector<TarMember> scan(const std::string& bytes) const {
    write_bytes(path, bytes);
    const PositionedFile file(path);
    TarScan archive(file);
    std::vector<TarMember> members;
    for (TarMember member; archive.next(member);) {
      std::string held(static_cast<size_t>(member.size), '\0');
      file.read(member.offset, held.data(), held.size());
      contents_.push_back(held);
      members.push_back(member);
    }
    return members;
  }
  std::string failure(const std::string& bytes) const {
    try {
      scan(bytes);
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  std::vector<std::string> names(const std::string& bytes) const {
    std::vector<std::string> names;
    for (const TarMember& member : scan(bytes)) names.push_back(member.name);
    return names;
  }

  const TemporaryFolder folder;
  const std::string path = folder / "a.tar";
  mutable std::vector<std::string> contents_;
};

TEST_F(TarScanOfFile, FindsBytesInPlace) {
  const std::string large(1300, 'x');
  const auto members = scan(tar_archive(tar_member("./a/b.JPEG", "abc") + tar_member("a/", "", '5') +
                                        tar_member("empty", "") + tar_member("large", large)));
  ASSERT_EQ(members.size(), 4U);
  EXPECT_EQ(members[0].name, "a/b.JPEG");
  EXPECT_EQ(members[0].offset, 512);
  EXPECT_EQ(members[1].type, '5');
  EXPECT_FALSE(members[1].plain());
  EXPECT_EQ(members[3].offset, 512 * 5);
  EXPECT_THAT(contents_, ElementsAre("abc", "", "", large));
}

TEST_F(TarScanOfFile, KnowsLongNamesOfEveryFormat) {
  const std::string name = std::string(90, 'd') + "/" + std::string(120, 'n') + ".JPEG";
  EXPECT_THAT(names(tar_archive(gnu_long_member(name, "1") + tar_member("next", "2"))),
              ElementsAre(name, "next"));
  EXPECT_THAT(
      names(tar_archive(pax_member(pax_record("mtime", "1.5") + pax_record("path", name), "short", "1") +
                        tar_member("next", "2"))),
      ElementsAre(name, "next"));
  EXPECT_THAT(names(tar_archive(tar_header("file", 0, '0', "folder/within"))),
              ElementsAre("folder/within/file"));
  EXPECT_THAT(names(tar_archive(tar_member(std::string(100, 'n'), "1"))), ElementsAre(std::string(100, 'n')));
  // GNU tar keeps other things where ustar has the prefix.
  std::string gnu = tar_header("file", 0, '0', "00000000000");
  gnu.replace(257, 8, std::string("ustar  \0", 8));
  unsigned sum = 0;
  gnu.replace(148, 8, "        ");
  for (const char byte : gnu) sum += static_cast<unsigned char>(byte);
  gnu.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  EXPECT_THAT(names(tar_archive(gnu)), ElementsAre("file"));
}

TEST_F(TarScanOfFile, APaxSizeCountsInsteadOfTheHeaders) {
  const auto members = scan(tar_archive(tar_member("PaxHeaders/x", pax_record("size", "3"), 'x') +
                                        tar_header("a", 0) + tar_padded("abc") + tar_member("b", "d")));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_THAT(contents_, ElementsAre("abc", "d"));
}

TEST_F(TarScanOfFile, LinksHaveNoBytes) {
  const auto members = scan(tar_archive(tar_header("hard", 700, '1') + tar_member("after", "a")));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_TRUE(members[0].link());
  EXPECT_EQ(members[1].name, "after");
}

TEST_F(TarScanOfFile, SizesOfMoreThan8GiB) {
  constexpr uint64_t size = (uint64_t{9} << 30) + 5;
  const std::string head = tar_header("huge", size);
  write_bytes(path, head);
  const uint64_t next = 512 + (size + 511) / 512 * 512;
  if (truncate(path.c_str(), static_cast<off_t>(next)) != 0) GTEST_SKIP() << "no files of this size here";
  std::ofstream(path, std::ios::binary | std::ios::app) << tar_archive(tar_member("next", "abc"));
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  if (facts.st_blocks > 1 << 20) GTEST_SKIP() << "no files with holes here";
  const PositionedFile file(path);
  TarScan archive(file);
  TarMember member;
  ASSERT_TRUE(archive.next(member));
  EXPECT_EQ(member.size, static_cast<int64_t>(size));
  ASSERT_TRUE(archive.next(member));
  EXPECT_EQ(member.name, "next");
  EXPECT_EQ(member.offset, static_cast<int64_t>(next) + 512);
  EXPECT_FALSE(archive.next(member));
  // A number of base 256 that no file could have.
  std::string absurd = tar_header("absurd", size);
  for (size_t i = 125; i < 136; ++i) absurd[i] = '\xff';
  unsigned sum = 0;
  absurd.replace(148, 8, "        ");
  for (const char byte : absurd) sum += static_cast<unsigned char>(byte);
  absurd.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  EXPECT_THAT(failure(tar_archive(absurd)), HasSubstr("a size that is no number (" + path + ", offset 0)"));
}

TEST_F(TarScanOfFile, TellsWhereAnArchiveIsCut) {
  const std::string members = tar_member("a", "abc") + tar_member("b", std::string(600, 'b'));
  EXPECT_THAT(failure(""), HasSubstr("an empty file"));
  EXPECT_THAT(failure(members.substr(0, 300)), HasSubstr("the archive is cut: it lacks its end mark"));
  EXPECT_THAT(failure(members),
              HasSubstr("the archive is cut: it lacks its end mark (" + path + ", offset 2560)"));
  EXPECT_THAT(failure(members.substr(0, 1024 + 512 + 100)),
              HasSubstr("member 'b' has 600 bytes, of which 100 are there (" + path + ", offset 1024)"));
  EXPECT_THAT(failure(members.substr(0, 1024 + 512 + 600)), HasSubstr("it lacks its end mark"));
  const std::string named = gnu_long_member(std::string(600, 'n'), "abc");
  EXPECT_THAT(failure(named.substr(0, 700)), HasSubstr("the archive is cut within a header"));
}

TEST_F(TarScanOfFile, TellsWhatIsDamagedOrOfAnotherKind) {
  std::string damaged = tar_archive(tar_member("a", "abc") + tar_member("b", "abc"));
  damaged[1024 + 3] = 'x';
  EXPECT_THAT(failure(damaged), HasSubstr("its checksum differs (" + path + ", offset 1024)"));
  EXPECT_THAT(failure("\x1f\x8b" + std::string(2000, 'z')), HasSubstr("a compressed archive"));
  EXPECT_THAT(failure(std::string(2000, 'z')), HasSubstr("no header of a tar archive"));
  const std::string one = tar_archive(tar_member("a", "abc"));
  EXPECT_THAT(failure(one + one), HasSubstr("something follows the archive's end mark"));
  EXPECT_THAT(failure(tar_archive(tar_member("a", "abc", 'S'))), HasSubstr("member 'a' is in pieces"));
  EXPECT_THAT(failure(tar_archive(pax_member(pax_record("GNU.sparse.major", "1"), "a", "abc"))),
              HasSubstr("member 'a' is in pieces"));
  for (const char* records : {"x", "99 path=a\n", "3 \n", "9 path a\n", "10 size=-1\n"})
    EXPECT_THAT(failure(tar_archive(pax_member(records, "a", "abc"))),
                testing::Not(HasSubstr("nothing failed")))
        << records;
}

TEST_F(TarScanOfFile, AnArchiveWithinAnother) {
  const std::string inner = tar_archive(tar_member("x.JPEG", "image"));
  const auto outer =
      scan(tar_archive(tar_member("n01.tar", inner) + tar_member("n02.tar", inner.substr(0, 700))));
  ASSERT_EQ(outer.size(), 2U);
  const PositionedFile file(path);
  TarMember member;
  TarScan whole(file, outer[0].offset, outer[0].offset + outer[0].size, "n01.tar");
  ASSERT_TRUE(whole.next(member));
  EXPECT_EQ(member.offset, 1024);
  EXPECT_FALSE(whole.next(member));
  TarScan cut(file, outer[1].offset, outer[1].offset + outer[1].size, "n02.tar");
  ASSERT_TRUE(cut.next(member));
  try {
    while (cut.next(member)) {
    }
    ADD_FAILURE() << "nothing failed";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path + ", n02.tar, offset"));
  }
}

TEST(TarScan, AFileThatIsMissingOrAFolder) {
  const TemporaryFolder folder;
  EXPECT_THROW(PositionedFile(folder / "absent"), DataError);
  EXPECT_THROW(PositionedFile{folder.path()}, DataError);
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(PositionedFile(folder / "pipe"), DataError);
}

TEST(TarScan, AFileThatBecameShorterIsTold) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "abcdef");
  const PositionedFile file(folder / "f");
  char bytes[6];
  file.read(2, bytes, 3);
  EXPECT_EQ(std::string(bytes, 3), "cde");
  try {
    file.read(4, bytes, 6, "member x");
    ADD_FAILURE() << "nothing failed";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("the file ends too early (" + (folder / "f") + ", offset 6, member x)"));
  }
}

}  // namespace
}  // namespace smoothlab::data
