#include "eval/printable.h"

namespace smoothlab::eval {

std::string printable(const std::string& text) {
  std::string safe;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool control = byte < 0x20 || byte == 0x7F;
    const bool long_control = byte == 0xC2 && next >= 0x80 && next < 0xA0;  // U+0080 – U+009F
    // No UTF-8; some terminals obey it.
    const bool stray =
        byte >= 0x80 && byte < 0xA0 && (safe.empty() || static_cast<unsigned char>(safe.back()) < 0x80);
    if (byte == '\t' || byte == '\n' || byte == '\r') {
      safe += ' ';
    } else if (control || long_control || stray) {
      safe += '?';
      i += long_control ? 1 : 0;
    } else {
      safe += text[i];
    }
  }
  return safe;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : printable(text);
}

}  // namespace smoothlab::eval
