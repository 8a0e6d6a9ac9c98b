#include "eval/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;  // not a byte that goes on with a character
  }));
}

}  // namespace

std::string text_table(const std::vector<TableLine>& lines, const std::vector<size_t>& left) {
  if (lines.empty()) return "";
  std::vector<size_t> widths(lines.front().size());
  for (const TableLine& cells : lines) {
    if (cells.size() > widths.size())
      throw RunError(fmt::format("a line of {} cells under one of {}", cells.size(), widths.size()),
                     "a table", "report this as a fault of the program");
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  }
  std::string text;
  for (const TableLine& cells : lines) {
    std::string row;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - width(cells[i]), ' ');
      const bool to_the_left = std::find(left.begin(), left.end(), i) != left.end();
      row += "  " + (to_the_left ? cells[i] + padding : padding + cells[i]);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

}  // namespace smoothlab::eval
