#include "launcher/study_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::launcher {

int line_of(const YAML::Node& node) {
  return node.Mark().is_null() ? 0 : node.Mark().line + 1;
}

std::string setting_text(const YAML::Node& node) {
  const std::string plain = node.IsScalar() ? trainer::key_text(node) : "";
  return plain.rfind('=', 0) == 0 ? plain : trainer::node_text(node);
}

std::vector<std::pair<YAML::Node, YAML::Node>> entries_of(const YAML::Node& node, const std::string& file,
                                                          const std::string& path,
                                                          const trainer::Place& place) {
  if (!node.IsMap())
    throw UsageError(path.empty() ? "a study must be a map" : fmt::format("'{}' must be a map", path),
                     path.empty() ? file : place.at(path),
                     path.empty() ? "begin with 'stages:'" : "write its keys below it, indented");
  std::vector<std::pair<YAML::Node, YAML::Node>> entries;
  std::set<std::string> seen;
  for (const auto& pair : node) {
    const std::string name = trainer::key_text(pair.first);
    if (!seen.insert(name).second)
      throw UsageError(fmt::format("key '{}' is given twice", name),
                       trainer::place_of(pair.first, file).at((path.empty() ? "" : path + ".") + name),
                       "keep one");
    entries.emplace_back(pair.first, pair.second);
  }
  return entries;
}

StudyMap::StudyMap(const YAML::Node& node, const std::string& file, const std::string& path,
                   const trainer::Place& place, const std::vector<std::string>& allowed)
    : path_(path), place_(place) {
  for (const auto& [key, value] : entries_of(node, file, path, place)) {
    const std::string name = trainer::key_text(key);
    const trainer::Place here = trainer::place_of(key, file);
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      throw UsageError(fmt::format("unknown key '{}'", name),
                       here.at((path.empty() ? "" : path + ".") + name), suggest_name(name, allowed));
    entries_[name] = {value, here, line_of(key)};
  }
}

const YAML::Node& StudyMap::at(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    throw UsageError(fmt::format("'{}' is missing", name), path_.empty() ? place_.source : place_.at(path_),
                     fmt::format("give '{}:'", name));
  return found->second.node;
}

trainer::Place StudyMap::place(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? place_ : found->second.place;
}

std::string StudyMap::text(const std::string& name) const {
  std::string value;
  trainer::read_value(at(name), place(name), path_.empty() ? name : path_ + "." + name, value);
  return value;
}

double StudyMap::number(const std::string& name) const {
  double value = 0;
  trainer::read_value(at(name), place(name), path_ + "." + name, value);
  return value;
}

int64_t StudyMap::integer(const std::string& name) const {
  int64_t value = 0;
  trainer::read_value(at(name), place(name), path_ + "." + name, value);
  return value;
}

}  // namespace smoothlab::launcher
