#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/safetensors.h"
#include "trainer/training_state.h"

namespace smoothlab::trainer {

/// A run at a step boundary, as it stands in the folder checkpoints/step-N/. Its files:
///
/// weights.safetensors: parameters by name, buffers averaged over ranks; what others would load.
///
/// optimizer.safetensors: "momentum/<parameter>", …, the optimiser's state, independent of its layout.
///
/// average.safetensors: averages of parameters and buffers by name; only with train.ema.
///
/// ranks/rank-R.safetensors: a rank's own buffers "<buffer>" and "average/<buffer>"; only where ranks differ.
///
/// state.json: TrainingState. recipe.yaml: the resolved recipe. manifest.json: CheckpointManifest, written
/// last.
struct Checkpoint {
  std::string folder;  ///< where it was read from; empty for a new one
  TrainingState state;
  std::string recipe;
  models::TensorFile weights;
  models::TensorFile optimizer;
  models::TensorFile average;             ///< no tensors: not kept
  std::vector<models::TensorFile> ranks;  ///< by rank; empty: not kept
};

/// "step-1200".
std::string checkpoint_name(int64_t step);
/// Steps of the checkpoints in a folder, ascending, whole or not.
std::vector<int64_t> checkpoint_steps(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::trainer
