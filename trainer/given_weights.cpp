#include "trainer/given_weights.h"

#include "models/weights.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {

LoadedRun load_given_weights(const Recipe& recipe, const std::string& weights,
                             const cluster::FileSystem& files) {
  LoadedRun run;
  run.recipe = recipe;
  run.task = evaluated_task_of(recipe);
  const models::TensorFile file = models::read_safetensors(files, weights);
  models::NetworkOptions options = network_options(recipe, data::described_by(run.task));
  // A head that training alone uses is in the file or is not, whatever the recipe says of training.
  if (options.name == "inception_v4")
    options.auxiliary_head = file.find("auxiliary.classifier.weight").defined();
  run.network = recipe.places.locate([&] { return models::make_network(options); });
  models::load_weights(*run.network, options, file, weights);
  run.weights = {weights};
  return run;
}

}  // namespace smoothlab::trainer
