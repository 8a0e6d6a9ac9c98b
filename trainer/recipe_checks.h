#pragma once

#include <map>
#include <string>

#include "trainer/recipe.h"
#include "trainer/strict_yaml.h"

namespace smoothlab::trainer {

/// What no key can check alone: required keys, exclusive keys, options that do not belong to the chosen
/// name. given: place of every key that was given; name: the recipe's file. Throws UsageError.
void check_recipe(const Recipe& recipe, const std::map<std::string, Place>& given, const std::string& name);

}  // namespace smoothlab::trainer
