#include "eval/page.h"

#include "eval/markup.h"
#include "eval/output_file.h"
#include "eval/page_style.h"

namespace smoothlab::eval {

std::string page_document(const std::string& title, const std::string& body) {
  const std::string name = escape_markup(title);
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n" +
         output_marker(OutputKind::page) + "\n<title>" + name + "</title>\n<style>" + page_style +
         "</style>\n</head>\n<body>\n<main>\n<h1>" + name + "</h1>\n" + body + "</main>\n</body>\n</html>\n";
}

std::string page_cell(const std::string& value, const std::string& aside) {
  return "<td>" + value + (aside.empty() ? "" : "<span class=\"soft\">" + aside + "</span>") + "</td>";
}

std::string page_table(const std::vector<std::string>& heads, const std::string& rows,
                       const std::string& kind) {
  std::string html =
      "<div class=\"scroll\"><table" + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">\n<thead><tr>";
  for (const std::string& head : heads) html += "<th>" + head + "</th>";
  return html + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string page_notes(const std::vector<std::string>& notes) {
  if (notes.empty()) return "";
  std::string html = "<ul class=\"notes soft\">\n";
  for (const auto& note : notes) html += "<li>" + escape_markup(note) + "</li>\n";
  return html + "</ul>\n";
}

}  // namespace smoothlab::eval
