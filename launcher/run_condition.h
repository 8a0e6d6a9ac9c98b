#pragma once

#include <string>

#include "launcher/study_file.h"
#include "trainer/recipe.h"

namespace smoothlab::launcher {

/// The value of a key in a recipe, as recipes write it.
std::string value_of(const trainer::Recipe& recipe, const std::string& key);

/// Whether a recipe's value is as a condition wants it: numbers are compared as numbers, text as text.
bool passes(const trainer::Recipe& recipe, const StudyCondition& condition);

}  // namespace smoothlab::launcher
