#pragma once

#include <string>
#include <utility>
#include <vector>

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Whether recipes/paper/ has a recipe for this data and network.
bool has_paper_recipe(const Recipe& recipe);

/// In what a recipe differs from the one of them that is the nearest to it, smoothing and seed aside:
/// "train.steps is 3000, in the paper's recipe 64000", one for each key that shapes what is learnt. Empty
/// where it is that one.
std::vector<std::string> differences_from_paper(const Recipe& recipe);

/// Keys that shape what is learnt, beside what is compared (eval::is_compared) and those of the
/// teacher, with their values: recipes that agree in them are of one experiment.
std::vector<std::pair<std::string, std::string>> shaping_values(const Recipe& recipe);

}  // namespace smoothlab::trainer
