#include "trainer/run_evaluation.h"

#include "cluster/build_info.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {

eval::EvaluationOptions evaluation_options(const Recipe& recipe, const std::string& task,
                                           const std::string& split, int64_t step) {
  eval::EvaluationOptions options;
  options.batch = recipe.evaluate.batch;
  options.workers = recipe.train.workers;
  options.bf16 = recipe.train.precision == "bf16";
  options.channels_last = channels_last(recipe);
  options.origin.task = task;
  options.origin.split = split;
  options.origin.model = recipe.model.name;
  options.origin.step = step;
  options.origin.alpha = recipe.targets.alpha;
  options.origin.convention = recipe.targets.convention;
  options.origin.recipe = resolved_recipe(recipe);
  options.origin.recipe_hash = recipe_hash(recipe);
  options.origin.code_version = cluster::code_version();
  return options;
}

}  // namespace smoothlab::trainer
