#include "data/parallel_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <tuple>
#include <utility>
#include <vector>

#include "cluster/error.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class ParallelTextFiles : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  TextFiles two(const std::string& source, const std::string& target) const {
    return {file("a.en", source), file("a.de", target), ""};
  }
  TextFiles one(const std::string& pairs, int64_t source = 1, int64_t target = 2) const {
    return {"", "", file("a.tsv", pairs), source, target};
  }
  static Pairs all(const TextFiles& files) {
    ParallelText text(files);
    Pairs pairs;
    for (TextPair pair; text.next(pair);) {
      pairs.emplace_back(pair.source, pair.target);
      EXPECT_EQ(pair.line, static_cast<int64_t>(pairs.size()));
    }
    return pairs;
  }
  static std::string failure(const TextFiles& files) {
    try {
      all(files);
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  const test::TemporaryFolder folder;
};

TEST_F(ParallelTextFiles, TwoFiles) {
  EXPECT_EQ(all(two("one\ntwo\n", "eins\r\nzwei")), Pairs({{"one", "eins"}, {"two", "zwei"}}));
  EXPECT_EQ(all(two(" a \n\n", "\t\nb\n")), Pairs({{"a", ""}, {"", "b"}}));
  EXPECT_EQ(all(two("", "")), Pairs());
}

TEST_F(ParallelTextFiles, ColumnsOfOneFile) {
  EXPECT_EQ(all(one("\xEF\xBB\xBFHi.\tHallo!\tCC-BY 2.0\nRun!\tLauf!\n")),
            Pairs({{"Hi.", "Hallo!"}, {"Run!", "Lauf!"}}));
  EXPECT_EQ(all(one("1\tHi.\t7\tHallo!\r\n", 4, 2)), Pairs({{"Hallo!", "Hi."}}));
  EXPECT_EQ(all(one("\tx\ny\t\n")), Pairs({{"", "x"}, {"y", ""}}));
}

TEST_F(ParallelTextFiles, UnequalLengthsNameBothCounts) {
  for (const auto& [source, target, counts] : {std::tuple("1\n2\n3\n", "1\n", "3 lines here and 1 in "),
                                               std::tuple("", "1\n2\n", "0 lines here and 2 in "),
                                               std::tuple("1\n2", "1\n2\n\n", "2 lines here and 3 in ")}) {
    const std::string message = failure(two(source, target));
    EXPECT_THAT(message, HasSubstr(counts + (folder / "a.de")));
    EXPECT_THAT(message, HasSubstr(folder / "a.en"));
  }
}

TEST_F(ParallelTextFiles, LinesWithoutTheirColumns) {
  EXPECT_THAT(failure(one("a\tb\nno tab\n")),
              HasSubstr("a line without a tab (" + (folder / "a.tsv") + ", line 2)"));
  EXPECT_THAT(failure(one("a\tb\tc\na\tb\n", 1, 3)), HasSubstr("a line of 2 columns (" + (folder / "a.tsv") +
                                                               ", line 2); columns 1 and 3 are wanted"));
}

TEST_F(ParallelTextFiles, MistakesOfEitherFile) {
  EXPECT_THAT(failure(two("a\nb\n", "a\n\xFF\n")), HasSubstr((folder / "a.de") + ", line 2"));
  EXPECT_THAT(failure(two(std::string("a\n\0\n", 4), "a\nb\n")), HasSubstr((folder / "a.en") + ", line 2"));
  EXPECT_THAT(failure({folder / "a.en", folder / "none", ""}), HasSubstr("none"));
}

TEST_F(ParallelTextFiles, SaysHowFarItIs) {
  const TextFiles files = two("one\ntwo\n", "eins\nzwei\n");
  ParallelText text(files);
  EXPECT_EQ(text.bytes(), 18);
  for (TextPair pair; text.next(pair);) {
  }
  EXPECT_EQ(text.bytes_read(), 18);
}

}  // namespace
}  // namespace smoothlab::data
