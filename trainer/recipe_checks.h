#pragma once

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// What no key can check alone: required keys, exclusive keys, values for keys that do not belong to the
/// chosen name. A key that does not belong may be given its default, which takes it back. Throws UsageError.
void check_recipe(const Recipe& recipe);

}  // namespace smoothlab::trainer
