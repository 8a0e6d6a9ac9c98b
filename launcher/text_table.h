#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// Rows of cells in columns, the first column flush left and the others right, or left where the heading
/// begins with "<", which is not printed. The first row is the headings.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace smoothlab::launcher
