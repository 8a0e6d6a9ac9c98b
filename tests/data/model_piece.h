#pragma once

#include <string>

namespace smoothlab::test {

/// A piece of a SentencePiece model, in protobuf's encoding; pieces one after the other are a model. type: 1
/// normal, 2 unknown, 3 control.
inline std::string model_piece(const std::string& text, char type) {
  const std::string body = std::string("\x0a") + static_cast<char>(text.size()) + text +
                           std::string("\x15\x00\x00\x80\xbf", 5) + "\x18" + type;  // score −1
  return std::string("\x0a") + static_cast<char>(body.size()) + body;
}

}  // namespace smoothlab::test
