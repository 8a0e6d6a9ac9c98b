#include "trainer/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "trainer/recipe_checks.h"
#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

struct Given {  // NOLINT(bugprone-exception-escape): a node may throw where it is assigned to
  YAML::Node node;
  Place place;
};

/// What a recipe may contain at a level: names of keys and of blocks within.
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

bool is_key(const std::string& path) {
  return std::any_of(recipe_keys().begin(), recipe_keys().end(),
                     [&](const auto& key) { return key.path == path; });
}

[[noreturn]] void unknown_key(const std::string& path, const Place& place) {
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

/// Assigns a node to a key, or the entries of a map to the keys of a block.
void collect(const YAML::Node& node, const std::string& path, const Place& place, const std::string& name,
             std::map<std::string, Given>& given) {
  if (is_key(path)) {
    given[path] = {node, place};
    return;
  }
  if (!path.empty() && names_in(path).empty()) unknown_key(path, place);
  if (node.IsNull()) return;
  if (!node.IsMap())
    throw UsageError(
        path.empty() ? "a recipe must be a map of blocks" : fmt::format("'{}' must be a map of keys", path),
        path.empty() ? place.source : place.at(path),
        path.empty() ? "begin with 'task:'" : "write its keys below it, indented");
  std::set<std::string> seen;
  for (const auto& pair : node) {
    const std::string key = (path.empty() ? "" : path + ".") + key_text(pair.first);
    const Place here = place.command_line ? place : place_of(pair.first, name);
    if (!seen.insert(key).second)
      throw UsageError(fmt::format("key '{}' is given twice", name_of(key)), here.at(key), "keep one");
    collect(pair.second, key, here, name, given);
  }
}

void collect_override(const std::string& text, std::map<std::string, Given>& given) {
  const Place place{"--set " + text, true};
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("an override without a key or a value", place.source, "write --set block.key=value");
  collect(load_yaml(text.substr(equals + 1), place.source), text.substr(0, equals), place, place.source,
          given);
}

/// The place of a key, and of the entries of a list of maps.
void note_places(const Given& given, const std::string& path, const std::string& name, RecipePlaces& places) {
  places.note(path, given.place);
  if (given.place.command_line || !given.node.IsSequence()) return;
  for (size_t i = 0; i < given.node.size(); ++i) {
    if (!given.node[i].IsMap()) continue;
    for (const auto& pair : given.node[i])
      places.note(fmt::format("{}[{}].{}", path, i, key_text(pair.first)), place_of(pair.first, name));
  }
}

}  // namespace

Recipe parse_recipe(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides) {
  const YAML::Node root = load_yaml(text, name);
  if (root.IsNull()) throw UsageError("the recipe is empty", name, "begin with 'task:'; see docs/recipes.md");
  std::map<std::string, Given> given;
  collect(root, "", {name, false}, name, given);
  for (const auto& text_of_one : overrides) collect_override(text_of_one, given);

  Recipe recipe;
  recipe.places = RecipePlaces(name);
  for (const auto& key : recipe_keys()) {
    const auto found = given.find(key.path);
    if (found == given.end()) continue;
    key.read(recipe, found->second.node, found->second.place);
    note_places(found->second, key.path, name, recipe.places);
  }
  check_recipe(recipe);
  return recipe;
}

Recipe read_recipe(const std::string& path, const std::vector<std::string>& overrides) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw UsageError("no such recipe", path, "name a file, such as recipes/demo/generated.yaml");
  if (std::filesystem::is_directory(path, none)) {
    const bool run = std::filesystem::exists(path + "/recipe.yaml", none);
    throw UsageError("a folder is no recipe", path,
                     run ? "its run's is " + path + "/recipe.yaml" : "name a .yaml file within");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) throw UsageError("the recipe cannot be read", path, "check the file's permissions");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_recipe(text, path, overrides);
}

std::string resolved_recipe(const Recipe& recipe) {
  std::string text;
  std::string block;
  for (const auto& key : recipe_keys()) {
    if (means_nothing(recipe, key.path)) continue;
    const std::string own = block_of(key.path);
    const size_t depth = static_cast<size_t>(std::count(key.path.begin(), key.path.end(), '.'));
    if (own != block) {
      text += std::string(2 * (depth - 1), ' ') + name_of(own) + ":\n";
      block = own;
    }
    text += fmt::format("{}{}: {}\n", std::string(2 * depth, ' '), name_of(key.path), key.write(recipe));
  }
  return text;
}

std::string recipe_hash(const Recipe& recipe) {
  const std::string text = resolved_recipe(recipe);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace smoothlab::trainer
