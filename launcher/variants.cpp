#include "launcher/variants.h"

#include <map>
#include <set>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

std::string last_part(const std::string& key) {
  return key.substr(key.find_last_of('.') + 1);
}

/// "alpha" and "0.1" as "alpha-0.1".
std::string name_of(const std::string& key, const std::string& value) {
  std::string name = key + "-";
  for (const char c : value)
    if (std::string("[]{} \"'").find(c) == std::string::npos) name += c == '/' || c == ',' ? '_' : c;
  return name;
}

/// What keys are called in the names of runs.
std::map<std::string, std::string> short_names(const std::vector<Axis>& axes, const std::string& where) {
  std::map<std::string, int> uses;
  std::map<std::string, std::string> names;
  for (const Axis& axis : axes)
    for (const std::string& key : axis.keys) {
      if (!names.emplace(key, "").second)
        throw UsageError("the key '" + key + "' is given twice", where, "put all its values into one list");
      ++uses[last_part(key)];
    }
  for (auto& [key, name] : names) name = uses[last_part(key)] > 1 ? key : last_part(key);
  return names;
}

}  // namespace

Axis axis_of(const std::string& list) {
  const auto refuse = [&](const std::string& what) {
    throw UsageError(what, "--each " + list, "give it as --each train.seed=1,2,3");
  };
  const size_t equals = list.find('=');
  if (equals == std::string::npos || equals == 0) refuse("no key and values");
  Axis axis{{list.substr(0, equals)}, {{""}}};
  int depth = 0;
  for (const char c : list.substr(equals + 1)) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (c == ',' && depth == 0)
      axis.points.push_back({""});
    else
      axis.points.back().front() += c;
  }
  for (const auto& point : axis.points)
    if (point.front().empty()) refuse("an empty value");
  return axis;
}

std::vector<Variant> expand_axes(const std::vector<Axis>& axes, const std::string& where) {
  const auto names = short_names(axes, where);
  std::vector<Variant> variants(1);
  for (const Axis& axis : axes) {
    std::vector<Variant> longer;
    for (const Variant& variant : variants)
      for (const auto& point : axis.points) {
        Variant& next = longer.emplace_back(variant);
        for (size_t i = 0; i < axis.keys.size(); ++i) {
          next.name += (next.name.empty() ? "" : "-") + name_of(names.at(axis.keys[i]), point[i]);
          next.values.emplace_back(axis.keys[i], point[i]);
        }
      }
    variants = std::move(longer);
  }
  std::set<std::string> taken;
  for (const Variant& variant : variants)
    if (!taken.insert(variant.name).second)
      throw UsageError("two runs would be called '" + variant.name + "'", where, "give each value once");
  return variants;
}

}  // namespace smoothlab::launcher
