#include "eval/segment_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

std::string cut(Tokenization tokenization, const std::string& segment) {
  SegmentTokenizer tokenizer(tokenization);
  std::string joined;
  for (const auto token : tokenizer(segment)) joined += (joined.empty() ? "" : "|") + std::string(token);
  return joined;
}

// What sacreBLEU 2.6's tokenizers print, blanks written as bars.
TEST(SegmentTokenizerTest, As13a) {
  const auto tokens = [](const std::string& segment) { return cut(Tokenization::v13a, segment); };
  EXPECT_EQ(tokens("Hello, world!"), "Hello|,|world|!");
  EXPECT_EQ(tokens("It's 1,000.5 or 3. (5-6) a-b"), "It's|1,000.5|or|3|.|(|5|-|6|)|a-b");
  EXPECT_EQ(tokens("&quot;a&quot; &amp;lt; &amp;amp; &lt;b&gt;"), "\"|a|\"|<|&|amp|;|<|b|>");
  EXPECT_EQ(tokens("<skip<skipped>ped>a-\nb\nc"), "<|skipped|>|ab|c");
  EXPECT_EQ(tokens("...,,. .5 x.,"), ".|.|.|,|,|.|.|5|x|.|,");
  EXPECT_EQ(tokens("…é.ü,1 “q”"), "…é|.|ü|,|1|“q”");
  EXPECT_EQ(tokens("a\u3000b\u00a0c\u200bd"), "a|b|c\u200bd");
  EXPECT_EQ(tokens(""), "");
}

TEST(SegmentTokenizerTest, AsIntl) {
  const auto tokens = [](const std::string& segment) { return cut(Tokenization::intl, segment); };
  EXPECT_EQ(tokens("It's 1,000.5 or 3."), "It|'|s|1,000.5|or|3.");
  EXPECT_EQ(tokens("«oui» 5€ a→b x²"), "«|oui|»|5|€|a|→|b|x²");
  EXPECT_EQ(tokens("你好。「は」"), "你好|。|「|は|」");
  EXPECT_EQ(tokens("&lt;"), "&|lt|;");
}

TEST(SegmentTokenizerTest, AtWhiteSpaceAndByCharacters) {
  EXPECT_EQ(cut(Tokenization::none, "a, b\u2003c\x1c\u00e9"), "a,|b|c|\u00e9");
  EXPECT_EQ(cut(Tokenization::characters, "aé 你 😀"), "a|é|你|😀");
}

TEST(SegmentTokenizerTest, NamesAreKnownAndNearOnesTold) {
  for (const char* name : {"13a", "none", "char", "intl"})
    EXPECT_STREQ(name_of(tokenization(name, "")), name);
  try {
    tokenization("int", "--tokenize");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("intl"));
  }
}

}  // namespace
}  // namespace smoothlab::eval
