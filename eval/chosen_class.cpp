#include "eval/chosen_class.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::eval {
namespace {

/// More names than this are no help in a message, and of namesakes even fewer.
constexpr size_t readable_names = 40, readable_namesakes = 4;

std::optional<int64_t> as_number(const std::string& written) {
  int64_t number = 0;
  const char* end = written.data() + written.size();
  const auto parsed = std::from_chars(written.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// "toy poodle" of "toy_poodle".
std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// "tench" of "tench, Tinca tinca"; a name of one word piece, ",", is its own.
std::string first_synonym(const std::string& name) {
  const size_t end = name.find(", ");
  return end == 0 ? name : name.substr(0, end);
}

/// The classes that a word may stand for, by the first way of writing a name that fits any.
std::vector<size_t> namesakes(const std::string& written, const std::vector<std::string>& names) {
  const std::string with_spaces = spaced(written), piece = "\u2581" + written;
  const std::vector<std::function<bool(const std::string&)>> ways = {
      [&](const std::string& name) { return name == written; },
      [&](const std::string& name) { return name == piece; },
      [&](const std::string& name) { return spaced(name) == with_spaces; },
      [&](const std::string& name) { return first_synonym(spaced(name)) == with_spaces; }};
  std::vector<size_t> found;
  for (const auto& fits : ways) {
    for (size_t k = 0; k < names.size(); ++k)
      if (fits(names[k])) found.push_back(k);
    if (!found.empty()) break;
  }
  return found;
}

[[noreturn]] void refuse_namesakes(const std::string& written, const std::vector<size_t>& found,
                                   const std::vector<std::string>& names, const std::string& path) {
  std::vector<std::string> ways;
  bool named = false;  // whether a whole name tells one of them from the others
  for (const size_t k : found) {
    if (ways.size() == readable_namesakes) {
      ways.emplace_back("…");
      break;
    }
    const bool own = std::count(names.begin(), names.end(), names[k]) == 1;
    named = named || own;
    ways.push_back(own ? fmt::format("{} ('{}')", k, names[k]) : std::to_string(k));
  }
  const std::string count = found.size() == 2 ? fmt::format("class {} and of class {}", found[0], found[1])
                                              : fmt::format("{} classes", found.size());
  throw UsageError(fmt::format("'{}' is the name of {}", written, count), path,
                   fmt::format("give the number{} of the one that is meant: {}",
                               named ? " or the whole name" : "", fmt::join(ways, ", ")));
}

std::string remedy(const std::string& written, const std::vector<std::string>& names, int64_t classes) {
  if (names.empty())
    return fmt::format("the file has no names: give class numbers from 0 to {}", classes - 1);
  const std::string nearest = nearest_name(written, names);
  if (nearest.empty()) {
    std::vector<std::string> short_ones;
    for (const auto& name : names) short_ones.push_back(first_synonym(spaced(name)));
    const std::string near_short = nearest_name(spaced(written), short_ones);
    if (!near_short.empty()) return "did you mean '" + near_short + "'?";
  }
  if (nearest.empty() && names.size() > readable_names)
    return fmt::format("give another name, or a class number from 0 to {}", classes - 1);
  return suggest_name(written, names);
}

ChosenClass choose(const std::string& written, const std::vector<std::string>& names, int64_t classes,
                   const std::string& path) {
  const auto found = namesakes(written, names);
  if (found.size() > 1) refuse_namesakes(written, found, names, path);
  if (found.size() == 1) return {static_cast<int64_t>(found[0]), names[found[0]]};
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

std::vector<std::string> short_names(const std::vector<ChosenClass>& chosen) {
  std::vector<std::string> names;
  for (const ChosenClass& one : chosen) {
    std::string name = first_synonym(one.name);
    for (size_t i = 1; i + 1 < name.size(); ++i)
      if (name[i] == '_') name[i] = ' ';
    names.push_back(name);
  }
  const auto short_ones = names;
  for (size_t i = 0; i < names.size(); ++i)
    if (std::count(short_ones.begin(), short_ones.end(), short_ones[i]) > 1)
      names[i] += fmt::format(" ({})", chosen[i].number);
  return names;
}

}  // namespace smoothlab::eval
