#include "launcher/text_table.h"

#include <algorithm>

namespace smoothlab::launcher {
namespace {

/// Characters, of UTF-8.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  auto cells = rows;
  std::vector<bool> left;
  for (auto& heading : cells.front()) {
    left.push_back(left.empty() || heading.rfind('<', 0) == 0);
    if (heading.rfind('<', 0) == 0) heading.erase(0, 1);
  }
  std::vector<size_t> widths(left.size());
  for (const auto& row : cells)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  for (const auto& row : cells) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - width(row[i]), ' ');
      line += (i > 0 ? "  " : "") + (left[i] ? row[i] + gap : gap + row[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace smoothlab::launcher
