#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

using TableLine = std::vector<std::string>;

/// A table for a terminal: columns as wide as their widest cell, those of `left` to the left and the others
/// to the right, two spaces before each; every line ends with a newline. No line has more cells than the
/// first, else RunError. A character of UTF-8 counts as one wide.
std::string text_table(const std::vector<TableLine>& lines, const std::vector<size_t>& left = {0});

}  // namespace smoothlab::eval
