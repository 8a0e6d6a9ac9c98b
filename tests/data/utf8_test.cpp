#include "data/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace smoothlab::data {
namespace {

constexpr size_t whole = std::string_view::npos;

TEST(Utf8, WholeText) {
  for (const std::string text : {"", "plain", "Grüße", "家", "𝄞", "\x7f", "\u0080", "\u07ff", "\u0800",
                                 "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"})
    EXPECT_EQ(utf8_break(text), whole) << text;
}

// Every number there is, encoded by hand: what is a surrogate breaks, the rest is whole.
TEST(Utf8, EveryCodePoint) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    std::string text;
    const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xc0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      text += static_cast<char>(0xe0 | code >> 12);
      tail(6), tail(0);
    } else {
      text += static_cast<char>(0xf0 | code >> 18);
      tail(12), tail(6), tail(0);
    }
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    ASSERT_EQ(utf8_break(text), is_surrogate ? 0 : whole) << code;
    if (text.size() > 1 && !is_surrogate) {
      ASSERT_EQ(utf8_break("a" + text.substr(0, text.size() - 1)), 1U) << code;
    }
  }
}

TEST(Utf8, WhatBreaks) {
  for (const std::string bytes :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xc3(", "\xe2\x82(", "\xf0\x9f\x98("})
    EXPECT_EQ(utf8_break("ä" + bytes + "b"), 2U);
}

}  // namespace
}  // namespace smoothlab::data
