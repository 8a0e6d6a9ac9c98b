#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// A self-contained HTML page: it loads nothing, needs no script, follows the reader's light or dark setting,
/// prints, and fits screens from 390 pixels up. title is text; body is HTML.
std::string page_document(const std::string& title, const std::string& body);

// Parts of a body. What they are given is HTML already.

/// <td>, with a softer remark behind the value.
std::string page_cell(const std::string& value, const std::string& aside = "");
/// A table that scrolls sideways where it is too wide. rows: <tr> elements; kind: a class for its style.
std::string page_table(const std::vector<std::string>& heads, const std::string& rows,
                       const std::string& kind = "");

/// A list of sentences, escaped; empty where there are none.
std::string page_notes(const std::vector<std::string>& notes);

}  // namespace smoothlab::eval
