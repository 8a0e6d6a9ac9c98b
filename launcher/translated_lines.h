#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::launcher {

/// A translation as text.
struct TranslatedText {
  std::string text;
  double score = 0, log_probability = 0;
  int64_t tokens = 0;  ///< without the end token
  bool cut = false;    ///< see eval::Hypothesis
};

/// What became of a line.
struct TranslatedLine {
  int64_t number = 1;
  std::string source;
  int64_t source_tokens = 0;  ///< without the end token; 0 for an empty line
  bool too_long = false;
  std::vector<TranslatedText> translations;  ///< none where there was nothing to translate
};

struct LineFormat {
  bool json = false, scores = false, several = false;
};

/// A line as it is printed, with its end.
/// Plain: the first translation, or an empty line; never more or less than one line. With `scores` before it
/// "score<TAB>log probability<TAB>", 0 and 0 of an empty line. With `several` a line for each translation,
/// which "line number<TAB>" goes before. JSON: one object.
std::string printed(const TranslatedLine& line, const LineFormat& format);

}  // namespace smoothlab::launcher
