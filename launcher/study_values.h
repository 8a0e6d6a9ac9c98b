#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "trainer/recipe_places.h"

namespace smoothlab::launcher {

/// The values that a grid or a zip lists for a key of a recipe, as a recipe writes them. A list holds values,
/// ranges a..b of whole numbers, both included, and evenly spaced numbers: {from: 0, to: 0.5, step: 0.1} or
/// {from: 0, to: 0.5, count: 6}; a range may also stand alone. `path` names the list in errors:
/// "stages.a.grid. targets.alpha". Throws UsageError for an empty list and what the key does not take.
std::vector<std::string> listed_values(const YAML::Node& node, const std::string& key,
                                       const std::string& file, const std::string& path,
                                       const trainer::Place& place);

}  // namespace smoothlab::launcher
