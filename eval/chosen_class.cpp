#include "eval/chosen_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::eval {
namespace {

/// More names than this are no help in a message.
constexpr size_t readable_names = 40;

std::optional<int64_t> as_number(const std::string& written) {
  int64_t number = 0;
  const char* end = written.data() + written.size();
  const auto parsed = std::from_chars(written.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

std::string remedy(const std::string& written, const std::vector<std::string>& names, int64_t classes) {
  if (names.empty())
    return fmt::format("the file has no names: give class numbers from 0 to {}", classes - 1);
  const std::string nearest = nearest_name(written, names);
  if (nearest.empty() && names.size() > readable_names)
    return fmt::format("give another name, or a class number from 0 to {}", classes - 1);
  return suggest_name(written, names);
}

ChosenClass choose(const std::string& written, const std::vector<std::string>& names, int64_t classes,
                   const std::string& path) {
  auto found = std::find(names.begin(), names.end(), written);
  if (found == names.end()) found = std::find(names.begin(), names.end(), "\u2581" + written);
  if (found != names.end()) {
    const auto number = found - names.begin();
    const auto again = std::find(found + 1, names.end(), *found);
    if (again != names.end())
      throw UsageError(
          fmt::format("'{}' is the name of class {} and of class {}", written, number, again - names.begin()),
          path, "give the number of the one that is meant");
    return {number, *found};
  }
  const auto number = as_number(written);
  if (!number) throw UsageError("there is no class '" + written + "'", path, remedy(written, names, classes));
  if (*number < 0 || *number >= classes)
    throw UsageError(fmt::format("there is no class {}", *number), path,
                     fmt::format("give class numbers from 0 to {}", classes - 1));
  const auto at = static_cast<size_t>(*number);
  return {*number, at < names.size() && !names[at].empty() ? names[at] : written};
}

}  // namespace

std::vector<std::string> split_classes(const std::vector<std::string>& given, size_t count,
                                       const std::string& option) {
  std::vector<std::string> parts = given;
  if (given.size() == 1) {
    parts.clear();
    size_t begin = 0;
    for (size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = given[0].find(',', begin);
      parts.push_back(given[0].substr(begin, end - begin));
    }
  }
  const std::string how =
      fmt::format("give {} classes, as {}{}; a name with a comma needs the option once for each class", count,
                  option, count == 2 ? " A,B" : " A,B,C");
  if (parts.size() != count)
    throw UsageError(fmt::format("{} {} given", parts.size(), parts.size() == 1 ? "class is" : "classes are"),
                     option, how);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) throw UsageError("a class has no name", option, how);
    if (std::find(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i), parts[i]) !=
        parts.begin() + static_cast<std::ptrdiff_t>(i))
      throw UsageError("class '" + parts[i] + "' is given twice", option, how);
  }
  return parts;
}

std::vector<ChosenClass> choose_classes(const std::vector<std::string>& written,
                                        const std::vector<std::string>& names, int64_t classes,
                                        const std::string& path) {
  std::vector<ChosenClass> chosen;
  for (const auto& word : written) {
    const ChosenClass next = choose(word, names, classes, path);
    for (size_t i = 0; i < chosen.size(); ++i)
      if (chosen[i].number == next.number)
        throw UsageError(fmt::format("'{}' and '{}' are the same class, {}", written[i], word, next.number),
                         path, "give different classes");
    chosen.push_back(next);
  }
  return chosen;
}

}  // namespace smoothlab::eval
