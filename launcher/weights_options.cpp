#include "launcher/weights_options.h"

namespace smoothlab::launcher {

Options& add_weights_options(Options& options) {
  return options.value("step", "N", "checkpoint to use instead of the newest")
      .value("last", "N", "the mean of the weights of the last N checkpoints, up to that one", "1")
      .flag("no-average", "the trained weights, also where the run keeps averages of them (train.ema)");
}

trainer::LoadOptions load_wish(const Options& options) {
  trainer::LoadOptions wish;
  if (options.has("step")) wish.step = options.integer("step", 0, INT64_C(1) << 53);
  wish.last = options.integer("last", 1, 1000);
  wish.averages = !options.has("no-average");
  return wish;
}

}  // namespace smoothlab::launcher
