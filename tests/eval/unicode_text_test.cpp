#include "eval/unicode_text.h"

#include <gtest/gtest.h>

#include <string>

namespace smoothlab::eval {
namespace {

TEST(UnicodeTextTest, IllFormedBytesAreFound) {
  EXPECT_EQ(ill_formed_utf8("aé你😀"), std::string::npos);
  EXPECT_EQ(ill_formed_utf8(std::string("a\0b", 3)), std::string::npos);
  EXPECT_EQ(ill_formed_utf8("\xEF\xBB\xBFx"), std::string::npos);
  EXPECT_EQ(ill_formed_utf8("ab\xFF"), 2U);
  EXPECT_EQ(ill_formed_utf8("\xC0\x80"), 0U);           // overlong
  EXPECT_EQ(ill_formed_utf8("x\xED\xA0\x80"), 1U);      // a surrogate
  EXPECT_EQ(ill_formed_utf8("x\xF4\x90\x80\x80"), 1U);  // beyond U+10FFFF
  EXPECT_EQ(ill_formed_utf8("xy\xE4\xBD"), 2U);         // cut
  EXPECT_EQ(ill_formed_utf8("x\x80"), 1U);
}

TEST(UnicodeTextTest, WhiteSpaceIsPythons) {
  // Of "".join(chr(c) for c in range(0x110000) if chr(c).isspace()), Python 3.11.
  std::string found;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    size_t at = 0;
    ASSERT_EQ(next_character(text, at), c);
    ASSERT_EQ(at, text.size());
    if (white_space_at(text, 0) == text.size()) found += text;
  }
  EXPECT_EQ(
      found,
      "\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
      "\u2009\u200a\u2028\u2029\u202f\u205f\u3000");
}

TEST(UnicodeTextTest, WhiteSpaceAtTheEndGoes) {
  EXPECT_EQ(right_stripped(" a b\u3000\r\n\x1f\u00a0"), " a b");
  EXPECT_EQ(right_stripped("a\u200b"), "a\u200b");
  EXPECT_EQ(right_stripped(" \t\u2028"), "");
}

// str.lower() of Python 3.11.
TEST(UnicodeTextTest, LowerCase) {
  EXPECT_EQ(lower_case("ABC xyz 1[@"), "abc xyz 1[@");
  EXPECT_EQ(lower_case("ÄÉ ΣΑΣ ΑΣ. Σ"), "äé σας ας. σ");
  EXPECT_EQ(lower_case("İI ẞ Ǆ"), "i\u0307i ß ǆ");
  EXPECT_EQ(lower_case("ȺȺȺ"), "ⱥⱥⱥ");  // longer than before
}

TEST(UnicodeTextTest, Classes) {
  EXPECT_TRUE(is_punctuation(U'.') && is_punctuation(U'。') && is_punctuation(U'«') && !is_punctuation(U'$'));
  EXPECT_TRUE(is_symbol(U'$') && is_symbol(U'→') && is_symbol(U'😀') && !is_symbol(U'a'));
  EXPECT_TRUE(is_number(U'1') && is_number(U'½') && is_number(U'ⅷ') && is_number(U'٣') && !is_number(U'a'));
}

}  // namespace
}  // namespace smoothlab::eval
