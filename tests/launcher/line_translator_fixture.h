#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "eval/toy_decoding.h"
#include "launcher/line_translator.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {

/// A token a letter: 'a' is 0 … 'y' is 24, 25 ends; other characters are none.
constexpr int64_t letters = 26;

inline launcher::TextCoding letter_coding() {
  return {[](const std::string& text) {
            std::vector<int32_t> tokens;
            for (const char c : text)
              if (c >= 'a' && c <= 'y') tokens.push_back(c - 'a');
            return tokens;
          },
          [](const std::vector<int32_t>& tokens) {
            std::string text;
            for (const int32_t token : tokens) text += static_cast<char>('a' + token);
            return text;
          }};
}

/// Says each letter after the next: "abc" is "bcd".
inline ToyModel letter_model() {
  return [](const std::vector<int32_t>& source, const std::vector<int32_t>& prefix, float* logits) {
    std::fill(logits, logits + letters, 0.0F);
    const int32_t next = source[std::min(prefix.size(), source.size()) - 1];
    logits[next == letters - 1 ? next : (next + 1) % (letters - 1)] = 9;
  };
}

/// What is printed for a text by these ranks, in pieces as it was printed.
inline std::vector<std::string> translated(const std::string& path, cluster::Communicator& ranks,
                                           launcher::LineTranslation translation, const ToyModel& model) {
  translation.path = path;
  translation.source = translation.target = toy_vocabulary(letters);
  ToyTranslator network(letters, model);
  cluster::Log log(ranks.rank(), true);
  std::vector<std::string> printed;
  launcher::translate_lines(network, translation, letter_coding(), ranks, log,
                            [&](const std::string& lines) { printed.push_back(lines); });
  return printed;
}

inline std::string joined_text(const std::vector<std::string>& pieces) {
  std::string all;
  for (const auto& piece : pieces) all += piece;
  return all;
}

}  // namespace smoothlab::test
