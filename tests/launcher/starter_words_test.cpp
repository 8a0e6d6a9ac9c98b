#include "launcher/starter_words.h"

#include <gtest/gtest.h>

#include <string>

namespace smoothlab::launcher {
namespace {

const std::string rule = std::string(74, '-') + "\n";
// As Open MPI 5.0.7 wrote it when rank 1 called MPI_Abort(3).
const std::string abort_message = rule +
                                  "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD\n"
                                  "  Proc: [[12164,1],1]\n"
                                  "  Errorcode: 3\n" +
                                  rule;

struct Said {
  std::string ranks, mpi;
  bool error_told;
};

Said said(const std::string& text, size_t piece) {
  StarterWords words;
  std::string ranks;
  for (size_t at = 0; at < text.size(); at += piece) ranks += words.of_ranks(text.substr(at, piece));
  ranks += words.rest();
  return {ranks, words.of_mpi(), words.error_told()};
}

TEST(StarterWords, RanksWordsPassAndMpisAreKeptWhereverTheTextIsCut) {
  const std::string ranks = "step 1  loss 2.3\n  indented\n\n--- a line of few dashes\nerror: no such file\n";
  const std::string text = "step 1  loss 2.3\n  indented\n\n" + abort_message +
                           "--- a line of few dashes\nerror: no such file\n" +
                           "[vm:11626] PMIX ERROR: PMIX_ERR_UNREACH in file server.c\n" + rule + "gone\n" +
                           rule + std::string(1, '\0');
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    const Said parts = said(text, piece);
    EXPECT_EQ(parts.ranks, ranks) << piece;
    EXPECT_EQ(
        parts.mpi,
        "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD Proc: [[12164,1],1] Errorcode: 3 "
        "[vm:11626] PMIX ERROR: PMIX_ERR_UNREACH in file server.c gone")
        << piece;
    EXPECT_TRUE(parts.error_told);
  }
}

// A line is not held back for want of its end.
TEST(StarterWords, AnUnfinishedLineOfARankPassesAtOnce) {
  StarterWords words;
  EXPECT_EQ(words.of_ranks("step 1"), "step 1");
  EXPECT_EQ(words.of_ranks(" of 2\n"), " of 2\n");
  EXPECT_EQ(words.of_ranks("err"), "");  // may become an error line, which counts
  EXPECT_EQ(words.of_ranks("ors: none"), "errors: none");
  EXPECT_FALSE(words.error_told());
}

TEST(StarterWords, AnErrorLineWithinAFramePasses) {
  const Said parts = said(rule + "MPI speaks\nerror: mine\nand ends\n" + rule, 7);
  EXPECT_EQ(parts.ranks, "error: mine\n");
  EXPECT_EQ(parts.mpi, "MPI speaks and ends");
}

TEST(StarterWords, AnEndWithinALineLosesNothing) {
  EXPECT_EQ(said("half a line", 3).ranks, "half a line");
  EXPECT_EQ(said("--", 1).ranks, "--");
  EXPECT_EQ(said("erro", 1).ranks, "erro");
  EXPECT_EQ(said(rule + "cut", 5).mpi, "cut");
  EXPECT_EQ(said("[vm:1] cut", 5).mpi, "[vm:1] cut");
}

TEST(StarterWords, MpisWordsStayShortAndEndWithTheLast) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "[vm:1] word after word\n";
  const Said parts = said(text + "[vm:1] the end\n", 4096);
  EXPECT_LT(parts.mpi.size(), 1000U);
  EXPECT_EQ(parts.mpi.substr(parts.mpi.size() - 14), "[vm:1] the end");
}

// Every line that began with a bracket used to vanish.
TEST(StarterWords, LibrariesOfTheRanksMayBeginWithABracket) {
  const std::string text =
      "[W ParallelOpenMP.cpp:12] too late\n[rank0]:[W1 a.cpp:3] slow\n[1,0]<stderr>: x\n[] y\n[:1] z\n[n:] q\n";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(said(text, piece).ranks, text) << piece;
    EXPECT_EQ(said(text, piece).mpi, "") << piece;
  }
}

// A rule that a rank's unfinished line swallowed used to turn all later words of ranks into MPI's.
TEST(StarterWords, ALostRuleSilencesNobodyForEver) {
  std::string text = "half a line" + rule;
  text += "MPI speaks\n" + rule;
  for (int i = 0; i < 100; ++i) text += "step " + std::to_string(i) + "\n";
  const Said parts = said(text + "error: mine", 64);
  EXPECT_NE(parts.ranks.find("step 99\nerror: mine"), std::string::npos) << parts.ranks;
  EXPECT_TRUE(parts.error_told);
}

}  // namespace
}  // namespace smoothlab::launcher
