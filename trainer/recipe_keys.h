#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trainer/recipe.h"
#include "trainer/strict_yaml.h"

namespace smoothlab::trainer {

/// One key of a recipe: the one place that knows how it is called, what it may be and what it means. Parsing,
/// the resolved recipe and the documentation all come from it.
template <typename Root>
struct Key {
  std::string path;     ///< "targets.alpha"
  std::string type;     ///< "number, 0 to 1"
  std::string meaning;  ///< one line
  /// Reads and checks. Throws UsageError.
  std::function<void(Root&, const YAML::Node&, const Place&)> read;
  std::function<std::string(const Root&)> write;
};

/// Every key, block by block in the order in which they are documented and written.
const std::vector<Key<Recipe>>& recipe_keys();
/// The keys of an entry of optimizer.groups.
const std::vector<Key<OptimizerOptions::Group>>& group_keys();

/// "targets" for "targets.alpha"; "task.augment" for "task.augment.pad".
std::string block_of(const std::string& path);
/// "alpha" for "targets.alpha".
std::string name_of(const std::string& path);

}  // namespace smoothlab::trainer
