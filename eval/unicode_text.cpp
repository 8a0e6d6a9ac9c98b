#include "eval/unicode_text.h"

#define U_SHOW_CPLUSPLUS_API 0
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

/// ICU's answers for ASCII, which most text is.
std::array<uint32_t, 128> ascii_categories() {
  std::array<uint32_t, 128> masks{};
  for (size_t i = 0; i < masks.size(); ++i) masks[i] = U_GET_GC_MASK(static_cast<UChar32>(i));
  return masks;
}

bool in_category(char32_t character, uint32_t mask) {
  static const std::array<uint32_t, 128> ascii = ascii_categories();
  return ((character < 128 ? ascii[character] : U_GET_GC_MASK(static_cast<UChar32>(character))) & mask) != 0;
}

bool is_trail(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

size_t ill_formed_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  // ICU counts in 32 bits: longer text is looked at in pieces that end where a character does.
  constexpr size_t piece = size_t{1} << 30;
  for (size_t first = 0; first < text.size();) {
    size_t last = std::min(first + piece, text.size());
    if (last < text.size())
      for (int back = 0; back < 3 && is_trail(text[last]); ++back) --last;
    const auto length = static_cast<int32_t>(last - first);
    for (int32_t i = 0; i < length;) {
      if (bytes[first + static_cast<size_t>(i)] < 0x80) {
        ++i;
        continue;
      }
      const int32_t start = i;
      UChar32 character = 0;
      U8_NEXT(bytes + first, i, length, character);
      if (character < 0) return first + static_cast<size_t>(start);
    }
    first = last;
  }
  return std::string_view::npos;
}

size_t white_space_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead <= ' ') return lead == ' ' || (lead >= 0x09 && lead <= 0x0D) || lead >= 0x1C ? 1 : 0;
  if (lead == 0xC2) return byte(1) == 0x85 || byte(1) == 0xA0 ? 2 : 0;
  if (lead == 0xE1) return byte(1) == 0x9A && byte(2) == 0x80 ? 3 : 0;
  if (lead == 0xE3) return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
  if (lead != 0xE2) return 0;
  const unsigned last = byte(2);
  if (byte(1) == 0x80) return last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF ? 3 : 0;
  return byte(1) == 0x81 && last == 0x9F ? 3 : 0;
}

std::string_view right_stripped(std::string_view text) {
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && is_trail(text[at])) --at;
    if (white_space_at(text, at) != text.size() - at) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text.size(), '\0');
  if (std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; })) {
    std::transform(text.begin(), text.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return lower;
  }
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCaseMap, void (*)(UCaseMap*)> map(ucasemap_open("", 0, &status), ucasemap_close);
  const auto map_into = [&] {
    status = U_ZERO_ERROR;
    return ucasemap_utf8ToLower(map.get(), lower.data(), static_cast<int32_t>(lower.size()), text.data(),
                                static_cast<int32_t>(text.size()), &status);
  };
  if (!map) throw std::bad_alloc();
  int32_t length = map_into();
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    lower.resize(static_cast<size_t>(length));
    length = map_into();
  }
  if (U_FAILURE(status))
    throw EnvironmentError(std::string("cannot map to lower case: ") + u_errorName(status), "ICU",
                           "check the installation of libicu");
  lower.resize(static_cast<size_t>(length));
  return lower;
}

char32_t next_character(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  const char32_t lead = byte(0);
  char32_t character = lead;
  size_t bytes = 1;
  if (lead >= 0xF0) {
    character = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    bytes = 4;
  } else if (lead >= 0xE0) {
    character = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    bytes = 3;
  } else if (lead >= 0x80) {
    character = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    bytes = 2;
  }
  at += bytes;
  return character;
}

void append_utf8(std::string& text, char32_t character) {
  const auto trail = [&](int shift) {
    text.push_back(static_cast<char>(0x80 | (character >> shift & 0x3F)));
  };
  if (character < 0x80) {
    text.push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    text.push_back(static_cast<char>(0xC0 | character >> 6));
    trail(0);
  } else if (character < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | character >> 12));
    trail(6);
    trail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | character >> 18));
    trail(12);
    trail(6);
    trail(0);
  }
}

bool is_punctuation(char32_t character) {
  return in_category(character, U_GC_P_MASK);
}

bool is_symbol(char32_t character) {
  return in_category(character, U_GC_S_MASK);
}

bool is_number(char32_t character) {
  return in_category(character, U_GC_N_MASK);
}

}  // namespace smoothlab::eval
