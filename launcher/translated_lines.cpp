#include "launcher/translated_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace smoothlab::launcher {
namespace {

/// Whatever a vocabulary makes of its pieces, it stays one line, and in its column.
std::string on_one_line(std::string text, bool columns) {
  std::replace_if(
      text.begin(), text.end(), [&](char c) { return c == '\n' || c == '\r' || (columns && c == '\t'); },
      ' ');
  return text;
}

std::string as_json(const TranslatedLine& line) {
  nlohmann::ordered_json json;
  json["line"] = line.number;
  json["source"] = line.source;
  json["source_tokens"] = line.source_tokens;
  if (line.too_long) json["too_long"] = true;
  json["translations"] = nlohmann::ordered_json::array();
  for (const TranslatedText& one : line.translations)
    json["translations"].push_back({{"text", one.text},
                                    {"score", one.score},
                                    {"log_probability", one.log_probability},
                                    {"tokens", one.tokens},
                                    {"cut", one.cut}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string printed(const TranslatedLine& line, const LineFormat& format) {
  if (format.json) return as_json(line);
  std::string out;
  const std::vector<TranslatedText> nothing(1);
  for (const TranslatedText& one : line.translations.empty() ? nothing : line.translations) {
    if (format.several) out += fmt::format("{}\t", line.number);
    if (format.scores) out += fmt::format("{:.6f}\t{:.6f}\t", one.score, one.log_probability);
    out += on_one_line(one.text, format.several || format.scores) + "\n";
    if (!format.several) break;
  }
  return out;
}

}  // namespace smoothlab::launcher
