#include "data/word_list.h"

#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

const std::vector<std::string> words = {"the", "dog", "sees"};

TEST(WordList, EncodesAndDecodes) {
  const WordList list("some", words);
  EXPECT_EQ(list.vocabulary().size, 7);
  EXPECT_EQ(list.encode("  the dog\tsees the   dog \n"), (std::vector<int32_t>{4, 5, 6, 4, 5}));
  EXPECT_EQ(list.decode(std::vector<int32_t>{4, 5, 6}), "the dog sees");
  EXPECT_EQ(list.encode("the cat"), (std::vector<int32_t>{4, 1}));
  EXPECT_EQ(list.decode(std::vector<int32_t>{2, 4, 1, 5, 3, 0}), "the dog");
  EXPECT_TRUE(list.encode(" \t ").empty());
  EXPECT_TRUE(list.encode("").empty());
  EXPECT_THROW(list.decode(std::vector<int32_t>{7}), DataError);
  EXPECT_THROW(list.decode(std::vector<int32_t>{-1}), DataError);
}

TEST(WordList, TheDigestIsThatOfTheWords) {
  EXPECT_EQ(WordList("a", words).vocabulary().digest, WordList("b", words).vocabulary().digest);
  EXPECT_NE(WordList("a", words).vocabulary().digest,
            WordList("a", {"the", "sees", "dog"}).vocabulary().digest);
}

TEST(WordList, WordsAreThereOnce) {
  EXPECT_THROW(WordList("a", {"the", "the"}), UsageError);
  EXPECT_THROW(WordList("a", {""}), UsageError);
  EXPECT_THROW(WordList("a", {"the dog"}), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
