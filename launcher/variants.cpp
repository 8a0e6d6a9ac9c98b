#include "launcher/variants.h"

#include <set>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

struct List {
  std::string key;
  std::vector<std::string> values;
};

List parse(const std::string& text) {
  const auto refuse = [&](const std::string& what) {
    throw UsageError(what, "--each " + text, "give it as --each train.seed=1,2,3");
  };
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse("no key and values");
  List list{text.substr(0, equals), {""}};
  int depth = 0;
  for (const char c : text.substr(equals + 1)) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (c == ',' && depth == 0)
      list.values.emplace_back();
    else
      list.values.back() += c;
  }
  for (const std::string& value : list.values)
    if (value.empty()) refuse("an empty value");
  return list;
}

/// "targets.alpha" and "0.1" as "alpha-0.1".
std::string name_of(const std::string& key, const std::string& value) {
  std::string name = key.substr(key.find_last_of('.') + 1) + "-";
  for (const char c : value)
    if (c != '[' && c != ']' && c != ' ') name += c == '/' || c == ',' ? '_' : c;
  return name;
}

}  // namespace

std::vector<Variant> expand_variants(const std::vector<std::string>& lists) {
  std::vector<Variant> variants(1);
  std::set<std::string> keys, names;
  for (const std::string& text : lists) {
    const List list = parse(text);
    if (!keys.insert(list.key).second)
      throw UsageError("the key is given twice", "--each " + text, "put all its values into one list");
    std::vector<Variant> longer;
    for (const Variant& variant : variants)
      for (const std::string& value : list.values) {
        Variant& next = longer.emplace_back(variant);
        next.name += (next.name.empty() ? "" : "-") + name_of(list.key, value);
        next.settings.push_back(list.key + "=" + value);
      }
    variants = std::move(longer);
  }
  for (const Variant& variant : variants)
    if (!names.insert(variant.name).second)
      throw UsageError("two runs would be called '" + variant.name + "'", "--each", "give each value once");
  return variants;
}

}  // namespace smoothlab::launcher
