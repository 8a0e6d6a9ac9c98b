#include "trainer/given_weights.h"

#include "models/weights.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {

LoadedRun load_given_weights(const Recipe& recipe, const std::string& weights,
                             const cluster::FileSystem& files) {
  LoadedRun run;
  run.recipe = recipe;
  run.task = evaluated_task_of(recipe);
  const data::Dataset& samples = *(run.task.train ? run.task.train : run.task.test);
  run.network = make_network_of(recipe, samples);
  models::load_weights(*run.network, network_options(recipe, samples),
                       models::read_safetensors(files, weights), weights);
  run.weights = {weights};
  return run;
}

}  // namespace smoothlab::trainer
