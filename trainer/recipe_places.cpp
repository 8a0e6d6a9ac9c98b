#include "trainer/recipe_places.h"

#include <algorithm>

#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

/// A key, a part of one, or a block of keys.
bool belongs_to_a_recipe(const std::string& path) {
  const auto begins = [](const std::string& text, const std::string& start) {
    return text.compare(0, start.size(), start) == 0;
  };
  return std::any_of(recipe_keys().begin(), recipe_keys().end(), [&](const auto& key) {
    return key.path == path || begins(key.path, path + ".") || begins(path, key.path + "[");
  });
}

}  // namespace

std::string RecipePlaces::at(const std::string& key) const {
  if (file_.empty()) return key;
  for (std::string known = key; !known.empty();) {
    const auto place = given_.find(known);
    if (place != given_.end()) return place->second.at(key);
    const size_t cut = known.find_last_of(".[");
    known = cut == std::string::npos ? "" : known.substr(0, cut);
  }
  return file_ + ": " + key;
}

UsageError RecipePlaces::located(const UsageError& error) const {
  if (!belongs_to_a_recipe(error.where())) return error;
  return UsageError(error.problem(), at(error.where()), error.remedy());
}

}  // namespace smoothlab::trainer
