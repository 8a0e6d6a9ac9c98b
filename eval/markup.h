#pragma once

#include <string>

namespace smoothlab::eval {

/// Text with & < > " ' written so that it means itself in HTML and SVG, in content and in attributes; control
/// characters become spaces.
std::string escape_markup(const std::string& text);

}  // namespace smoothlab::eval
