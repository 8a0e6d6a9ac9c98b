#include "data/utf8.h"

#include <cstdint>

namespace smoothlab::data {
namespace {

struct Sequence {
  size_t length;
  uint8_t low, high;  ///< range of the second byte
};

/// By the first byte (Unicode 15, table 3-7); length 0 where no sequence begins with it.
Sequence sequence(uint8_t first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

size_t utf8_break(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto [length, low, high] = sequence(static_cast<uint8_t>(text[at]));
    if (length == 0 || at + length > text.size()) return at;
    for (size_t i = 1; i < length; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + i]);
      if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xBF)) return at;
    }
    at += length;
  }
  return std::string_view::npos;
}

}  // namespace smoothlab::data
