#include "trainer/recipe_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

#include "cluster/error.h"
#include "trainer/known_keys.h"
#include "trainer/recipe_checks.h"

namespace smoothlab::trainer {
namespace {

struct Value {  // NOLINT(bugprone-exception-escape): a node may throw where it is assigned to
  YAML::Node node;
  Place place;
  std::string file;  ///< to which lines of the node belong
};
using Values = std::map<std::string, Value>;

/// Assigns a node to a key, or the entries of a map to the keys of a block.
void collect(const YAML::Node& node, const std::string& path, const Place& place, const std::string& name,
             Values& given) {
  if (find_key(path) != nullptr) {
    // Assigning to a node would change what all copies of it refer to.
    given.erase(path);
    given.emplace(path, Value{node, place, name});
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

void collect_override(const Override& given, Values& values) {
  const Place place = given.place();
  if (place.command_line) {
    collect(load_yaml(given.value, place.source), given.key, place, place.source, values);
    return;
  }
  // On the line of the file that it comes from.
  const std::string above(static_cast<size_t>(given.line > 0 ? given.line - 1 : 0), '\n');
  collect(load_yaml(above + given.value, given.file), given.key, place, given.file, values);
}

/// The place of a key, and of the entries of a list of maps.
void note_places(const Value& given, const std::string& path, RecipePlaces& places) {
  places.note(path, given.place);
  if (given.place.command_line || !given.node.IsSequence()) return;
  for (size_t i = 0; i < given.node.size(); ++i) {
    if (!given.node[i].IsMap()) continue;
    for (const auto& pair : given.node[i])
      places.note(fmt::format("{}[{}].{}", path, i, key_text(pair.first)), place_of(pair.first, given.file));
  }
}

}  // namespace

struct RecipeFile::Given {
  Values values;
};

Place Override::place() const {
  if (file.empty()) return {"--set " + key + "=" + value, true};
  return {fmt::format("{}:{}", file, line), false};
}

std::vector<Override> command_line_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("an override without a key or a value", "--set " + text,
                       "write --set block.key=value");
    overrides.push_back({text.substr(0, equals), text.substr(equals + 1), "", 0});
  }
  return overrides;
}

RecipeFile::RecipeFile(const std::string& text, const std::string& name) : name_(name) {
  const YAML::Node root = load_yaml(text, name);
  if (root.IsNull()) throw UsageError("the recipe is empty", name, "begin with 'task:'; see docs/recipes.md");
  Given given;
  collect(root, "", {name, false}, name, given.values);
  given_ = std::make_shared<const Given>(std::move(given));
}

Recipe RecipeFile::unchecked(const std::vector<Override>& overrides) const {
  Values given = given_->values;
  for (const auto& one : overrides) collect_override(one, given);
  Recipe recipe;
  recipe.places = RecipePlaces(name_);
  for (const auto& key : recipe_keys()) {
    const auto found = given.find(key.path);
    if (found == given.end()) continue;
    key.read(recipe, found->second.node, found->second.place);
    note_places(found->second, key.path, recipe.places);
  }
  return recipe;
}

Recipe RecipeFile::recipe(const std::vector<Override>& overrides) const {
  Recipe recipe = unchecked(overrides);
  check_recipe(recipe);
  return recipe;
}

RecipeFile open_recipe(const std::string& path) {
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
  return {text, path};
}

}  // namespace smoothlab::trainer
