#pragma once

#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace smoothlab::launcher {

/// Runs `work` for each file in turn. One that fails costs the others nothing: it gets a line of its own on
/// stderr, "error: …", and the exit code is that of the first one that failed; 0 where none did.
int for_each_file(const std::vector<std::string>& files, const std::function<void(const std::string&)>& work);

/// JSON as it is printed; bytes that are no UTF-8, of a path or an attribute, are replaced.
template <typename Json>
std::string printed(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

/// Prints reports as JSON: where one file was given its object, for several a list; nothing where the only
/// file failed.
template <typename Report>
void print_each(const std::vector<Report>& reports, bool one_given) {
  if (reports.empty() && one_given) return;
  using Json = decltype(to_json(reports.front()));
  Json all = Json::array();
  for (const auto& report : reports) all.push_back(to_json(report));
  std::cout << printed(one_given ? all[0] : all) << std::endl;
}

/// How verbs that take several files say so in --help.
inline const char* each_file_help() {
  return "Every good file is reported; each bad one gets its own error line, and the exit code is that of the\n"
         "first.";
}

}  // namespace smoothlab::launcher
