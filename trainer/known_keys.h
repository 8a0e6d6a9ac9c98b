#pragma once

#include <string>
#include <vector>

#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {

/// The key of this path; null where a recipe has no such key, but perhaps a block.
const Key<Recipe>* find_key(const std::string& path);
/// The same; throws UsageError that names the nearest where there is none.
const Key<Recipe>& key_at(const std::string& path, const Place& place);

/// What a recipe may contain at a level, "" or "task" or "task.augment": names of keys and of blocks within.
std::vector<std::string> names_in(const std::string& block);

/// A value for a key, as a recipe writes it: 1e-1 is 0.1, ${VARIABLES} are expanded. `value` is YAML. Throws
/// UsageError where the key takes no such value.
std::string canonical_value(const Key<Recipe>& key, const std::string& value, const Place& place);

/// Throws the UsageError for a key that a recipe does not have.
[[noreturn]] void unknown_key(const std::string& path, const Place& place);

}  // namespace smoothlab::trainer
