#include "data/image_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "cluster/error.h"
#include "data/file_bytes.h"
#include "data/image_names.h"

namespace smoothlab::data {
namespace {

constexpr const char* classes_remedy =
    R"(give JSON {"0": ["n01440764", "tench"], …} or lines "n01440764 tench")";

/// Without empty lines at the end; an empty one within is kept, for it has a number.
std::vector<std::string> numbered_lines(const std::string& path, const std::string& remedy) {
  const std::vector<uint8_t> bytes = read_file_bytes(path, remedy);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) throw DataError("the file is empty", path, remedy);
  return lines;
}

/// A synset and what follows it.
std::pair<std::string, std::string> parted(const std::string& line) {
  const size_t end = std::min(line.find_first_of(" \t,"), line.size());
  const size_t rest = std::min(line.find_first_not_of(" \t,", end), line.size());
  return {line.substr(0, end), line.substr(rest)};
}

std::map<std::string, std::string> classes_of_json(const std::string& path, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || json.empty()) throw DataError("no JSON object of classes", path, classes_remedy);
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> numbers;
  for (const auto& [number, entry] : json.items()) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_string())
      throw DataError("a class that is no pair of synset and name", path + ", class " + number,
                      classes_remedy);
    const auto synset = entry[0].get<std::string>();
    if (!names.emplace(synset, entry[1].get<std::string>()).second)
      throw DataError("synset " + synset + " is there twice", path + ", class " + number, classes_remedy);
    numbers[synset] = number;
  }
  size_t place = 0;
  for (const auto& [synset, number] : numbers)
    if (number != std::to_string(place++))
      throw DataError(fmt::format("synset {} has number {}, and is at place {} of the sorted synsets", synset,
                                  number, place - 1),
                      path, "number the classes by their synsets, as ImageNet's users do");
  return names;
}

std::map<std::string, std::string> classes_of_lines(const std::string& path) {
  std::map<std::string, std::string> names;
  size_t number = 0;
  for (const std::string& line : numbered_lines(path, classes_remedy)) {
    ++number;
    const auto [synset, name] = parted(line);
    if (synset.empty())
      throw DataError("a line without a class", fmt::format("{}, line {}", path, number), classes_remedy);
    if (!names.emplace(synset, name.empty() ? synset : name).second)
      throw DataError("synset " + synset + " is there twice", fmt::format("{}, line {}", path, number),
                      classes_remedy);
  }
  return names;
}

}  // namespace

ImageClasses::ImageClasses(std::vector<std::string> synsets, std::vector<std::string> names)
    : synsets_(std::move(synsets)), names_(names.empty() ? synsets_ : std::move(names)) {
  for (size_t i = 0; i < synsets_.size(); ++i) numbers_[synsets_[i]] = static_cast<int64_t>(i);
}

int64_t ImageClasses::find(const std::string& synset) const {
  const auto found = numbers_.find(synset);
  return found == numbers_.end() ? -1 : found->second;
}

ImageClasses read_image_classes(const std::string& path) {
  const std::vector<uint8_t> bytes = read_file_bytes(path, classes_remedy);
  const std::string text(bytes.begin(), bytes.end());
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && (text[first] == '{' || text[first] == '[');
  std::vector<std::string> synsets, names;
  for (const auto& [synset, name] : is_json ? classes_of_json(path, text) : classes_of_lines(path)) {
    synsets.push_back(synset);
    names.push_back(name);
  }
  return {synsets, names};
}

std::vector<std::string> read_synset_list(const std::string& path) {
  constexpr const char* remedy =
      "give a file with the synset of validation image i, such as n01440764, in line i";
  std::vector<std::string> synsets = numbered_lines(path, remedy);
  for (size_t i = 0; i < synsets.size(); ++i) {
    synsets[i] = parted(synsets[i]).first;
    if (is_synset(synsets[i])) continue;
    throw DataError(fmt::format("'{}' is no synset", synsets[i]), fmt::format("{}, line {}", path, i + 1),
                    remedy);
  }
  return synsets;
}

}  // namespace smoothlab::data
