#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace smoothlab::eval {

/// Where the first byte stands that is no part of well-formed UTF-8 (surrogates, overlong forms and what lies
/// beyond U+10FFFF among them); npos where all is well.
size_t ill_formed_utf8(std::string_view text);

/// What follows takes well-formed UTF-8 for granted.

/// Bytes of the white-space character at `at`, 0 where there is none. White space is what Python's
/// str.split() takes for it: U+0009–000D, 001C–0020, 0085, 00A0, 1680, 2000–200A, 2028, 2029, 202F, 205F,
/// 3000.
size_t white_space_at(std::string_view text, size_t at);

/// Without white space at its end.
std::string_view right_stripped(std::string_view text);

/// Calls `word` with each stretch between white space, none of them empty.
template <typename Word>
void split_words(std::string_view text, const Word& word) {
  size_t begin = 0, i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // '!' … '~' and most lead and all trailing bytes are no white space, whatever comes next.
    const size_t space = byte > ' ' && byte < 0x7F ? 0 : white_space_at(text, i);
    if (space == 0) {
      ++i;
      continue;
    }
    if (i > begin) word(text.substr(begin, i - begin));
    begin = i += space;
  }
  if (text.size() > begin) word(text.substr(begin));
}

/// Full lower-case mapping of Unicode, no language's own: a final sigma is ς, İ becomes two characters.
std::string lower_case(std::string_view text);

/// The character at `at`, which is moved past it.
char32_t next_character(std::string_view text, size_t& at);
void append_utf8(std::string& text, char32_t character);

/// Classes of Unicode, as ICU's version of it has them: letters of a general category, P…, S…, N….
bool is_punctuation(char32_t character);
bool is_symbol(char32_t character);
bool is_number(char32_t character);

}  // namespace smoothlab::eval
