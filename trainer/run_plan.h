#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// What a recipe comes to on a number of ranks, worked out without training.
struct RunPlan {
  std::string task, model, precision;
  int64_t train_samples = 0, validation_samples = 0, test_samples = 0;
  int64_t classes = 0;
  std::vector<int64_t> input_shape;  ///< [C, H, W]; empty for text
  int64_t parameters = 0;
  int64_t steps = 0;
  double steps_per_epoch = 0, epochs = 0;
  int ranks = 1;
  int64_t global_batch = 0, micro_batch = 0;  ///< samples; the most of any step where tokens count
  int64_t global_tokens = 0;                  ///< 0: samples count
  std::vector<int64_t> rank_batches;          ///< samples of a global batch, by rank
  // Bytes on each rank. Activations are those that one forward pass over the largest micro-batch keeps.
  int64_t state_bytes = 0;  ///< parameters, gradients, optimiser state, averages
  int64_t activation_bytes = 0;
  int64_t checkpoint_bytes = 0;    ///< a checkpoint's size on disk; rank 0 holds as much while it is written
  std::vector<std::string> notes;  ///< what the run would not refuse, but its user may not have meant
  double state_bytes_per_parameter() const {
    return static_cast<double>(state_bytes) / static_cast<double>(parameters);
  }
};

/// Opens the data and builds the network, so that everything a run would refuse is refused here, but for what
/// another machine may have: a device that is missing here is a note. Throws UsageError, DataError.
RunPlan plan_run(const Recipe& recipe, int ranks);

std::string to_text(const RunPlan& plan);
nlohmann::json to_json(const RunPlan& plan);

}  // namespace smoothlab::trainer
