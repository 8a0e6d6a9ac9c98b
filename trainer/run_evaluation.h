#pragma once

#include <cstdint>
#include <string>

#include "eval/evaluation_pass.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// How a run's network is evaluated after `step` steps on a split of its task: precision, memory format and
/// batch of its recipe, and where the logits come from. The caller says where they go.
eval::EvaluationOptions evaluation_options(const Recipe& recipe, const std::string& task,
                                           const std::string& split, int64_t step);

}  // namespace smoothlab::trainer
