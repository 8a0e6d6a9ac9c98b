#pragma once

#include <string>

namespace smoothlab::eval {

/// Text of a file, such as an attribute, made fit for a terminal and for one line: control characters, those
/// of UTF-8's second block among them, become '?', tabs and line ends a space.
std::string printable(const std::string& text);
/// The same for a cell of a table: a dash where there is none.
std::string or_dash(const std::string& text);

}  // namespace smoothlab::eval
