#include "trainer/known_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::trainer {

const Key<Recipe>* find_key(const std::string& path) {
  const auto& keys = recipe_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

const Key<Recipe>& key_at(const std::string& path, const Place& place) {
  const auto* key = find_key(path);
  if (key == nullptr) unknown_key(path, place);
  return *key;
}

std::vector<std::string> names_in(const std::string& block) {
  std::vector<std::string> names;
  const std::string prefix = block.empty() ? "" : block + ".";
  for (const auto& key : recipe_keys()) {
    if (key.path.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string rest = key.path.substr(prefix.size());
    const std::string name = rest.substr(0, rest.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string canonical_value(const Key<Recipe>& key, const std::string& value, const Place& place) {
  Recipe recipe;
  key.read(recipe, load_yaml(value, place.at(key.path)), place);
  return key.write(recipe);
}

void unknown_key(const std::string& path, const Place& place) {
  const std::string name = name_of(path);
  const std::string what = fmt::format("unknown key '{}'", name);
  const auto siblings = names_in(block_of(path));
  std::vector<std::string> namesakes, all;
  for (const auto& key : recipe_keys()) {
    all.push_back(key.path);
    if (name_of(key.path) == name) namesakes.push_back(key.path);
  }
  // A right name in a wrong block, a wrong name in a right block, or neither.
  if (!namesakes.empty())
    throw UsageError(what, place.at(path), fmt::format("did you mean '{}'?", fmt::join(namesakes, "' or '")));
  if (!siblings.empty()) throw UsageError(what, place.at(path), suggest_name(name, siblings));
  throw UsageError(what, place.at(path), suggest_name(path, all));
}

}  // namespace smoothlab::trainer
