#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/checkpoint_choice.h"

namespace smoothlab::trainer {

/// Sums over one rank's rows since the last line of metrics.
struct MetricWindow {
  double loss = 0;      ///< Σ loss of a row, in the order of the rows
  int64_t correct = 0;  ///< rows whose largest logit is the label's
  int64_t rows = 0;
};

/// What a run must know to go on, beside its tensors: state.json of a checkpoint. Together with the recipe
/// it says where the data stream stands, so no sample ids are kept.
struct TrainingState {
  int64_t step = 0;  ///< steps done
  int ranks = 1;
  int threads = 0;  ///< CPU threads of rank 0; 0: not known
  uint64_t seed = 1;
  int64_t global_batch = 0;
  std::string samples;  ///< fingerprint of the training split; empty: not known
  int64_t optimizer_steps = 0;
  int64_t average_updates = 0;
  double seconds = 0;               ///< training time so far
  bool evaluation_pending = false;  ///< the evaluation due at this step has yet to run
  /// Parameters in the order in which their gradients arrive; empty: not yet known.
  std::vector<std::string> order;
  std::vector<MetricWindow> windows;   ///< by rank
  std::optional<BestEvaluation> best;  ///< of the evaluations so far; none: the run does not choose
};

/// What lets sums round otherwise than in the sitting that left this state: " on 1 rank instead of 2: …";
/// empty where nothing does.
std::string changes_since(const TrainingState& state, int ranks, int threads);

/// Doubles are written so that they read back as the same bits.
std::string to_json(const TrainingState& state);
/// Throws DataError that names `path`.
TrainingState training_state_from_json(const std::string& text, const std::string& path);

}  // namespace smoothlab::trainer
