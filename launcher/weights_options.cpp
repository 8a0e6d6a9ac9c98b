#include "launcher/weights_options.h"

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::launcher {

namespace {

trainer::WhichCheckpoint which_checkpoint(const std::string& name) {
  if (name == "best") return trainer::WhichCheckpoint::best;
  if (name == "last") return trainer::WhichCheckpoint::newest;
  throw UsageError("unknown '" + name + "'", "--checkpoint", suggest_name(name, {"best", "last"}));
}

}  // namespace

Options& add_weights_options(Options& options) {
  return options
      .value(
          "checkpoint", "WHICH",
          "best or last: the one that the run has chosen (checkpoint.best), or the newest whole one; without "
          "it the best of a run that chooses, else the last")
      .value("step", "N", "the checkpoint of this step instead")
      .value("last", "N", "the mean of the weights of the last N checkpoints, up to that one", "1")
      .flag("no-average", "the trained weights, also where the run keeps averages of them (train.ema)");
}

trainer::LoadOptions load_wish(const Options& options) {
  trainer::LoadOptions wish;
  if (options.has("checkpoint") && options.has("step"))
    throw UsageError("--checkpoint and --step name two checkpoints", "--checkpoint", "leave one out");
  if (options.has("checkpoint")) wish.which = which_checkpoint(options.text("checkpoint"));
  if (options.has("step")) wish.step = options.integer("step", 0, INT64_C(1) << 53);
  wish.last = options.integer("last", 1, 1000);
  wish.averages = !options.has("no-average");
  return wish;
}

}  // namespace smoothlab::launcher
