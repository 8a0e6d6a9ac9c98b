#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace smoothlab::test {

/// Sentences of two languages that nobody speaks, each the other's translation word by word; the same on
/// every machine, and in Python with the four lines of tests/data/reference/pieces.py.
inline std::vector<std::string> small_text(int64_t lines, bool is_target) {
  const std::vector<std::string> source = {"the",   "small", "house", "stands", "under", "an",    "old",
                                           "tree",  "and",   "bird",  "sings",  "quite", "often", "here",
                                           "water", "flows", "down",  "along",  "river", "stones"};
  const std::vector<std::string> target = {
      "das",   "kleine", "Häuschen", "steht", "unter",  "einem",  "alten", "Bäume", "und",    "Vögel",
      "singt", "recht",  "öfter",    "hier",  "Wasser", "fließt", "hinab", "längs", "Flüsse", "Steine"};
  const std::vector<std::string>& words = is_target ? target : source;
  std::vector<std::string> text;
  uint32_t state = 1;
  for (int64_t line = 0; line < lines; ++line) {
    std::string sentence;
    state = state * 1664525 + 1013904223;
    for (uint32_t left = 3 + (state >> 16) % 6; left > 0; --left) {
      state = state * 1664525 + 1013904223;
      sentence += (sentence.empty() ? "" : " ") + words[(state >> 16) % words.size()];
    }
    text.push_back(sentence + ".");
  }
  return text;
}

inline void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream out(path, std::ios::binary);
  for (const std::string& line : lines) out << line << '\n';
}

}  // namespace smoothlab::test
