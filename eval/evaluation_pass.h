#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/dataset.h"
#include "eval/calibration.h"
#include "eval/logit_file.h"
#include "models/network.h"

namespace smoothlab::eval {

struct EvaluationOptions {
  int64_t batch = 128;         ///< samples in one forward pass; a row may depend on it by float rounding
  int workers = 0;             ///< threads that load; 0: as data::loading_workers()
  bool bf16 = false;           ///< parameters (but those that are kept in float32) and inputs as bfloat16
  bool channels_last = false;  ///< memory format of image inputs
  std::string logits;          ///< path of the logit file to write; empty: none
  /// A summary in place of the logits (logit_summary.h), without penultimate activations and templates.
  bool summary = false;
  bool keep_penultimate = true;
  LogitPrecision precision = LogitPrecision::float32;
  std::shared_ptr<cluster::FileSystem> files = cluster::local_file_system();  ///< where it goes
  LogitOrigin origin;  ///< its ranks and class names are filled in by the pass
  /// Is shown this rank's rows, finite logits [n, K] and labels [n], in their order; may be empty.
  std::function<void(const float* logits, const int64_t* labels, int64_t n)> rows;
};

/// Runs a split through a network, each sample exactly once over all ranks, without gradients, and returns
/// the sums over all ranks, the same on each of them. Collective. Streams every row to a logit file if one is
/// asked for: a shard a rank beside it, the file itself published by rank 0 when all shards are whole. Of a
/// summary each batch's logits are gone once it is taken in. What a
/// row holds does not depend on the number of ranks.
///
/// Throws RunError naming the sample when a logit is not finite, DataError for a split without samples,
/// EnvironmentError when the file cannot be written. A rank that throws leaves the others waiting for it: the
/// caller ends the job. Nothing is published then; an older file stays as it was.
CalibrationSums evaluate(models::Network& network, const std::shared_ptr<const data::Dataset>& dataset,
                         cluster::Communicator& communicator, const cluster::Placement& placement,
                         const EvaluationOptions& options, cluster::Log& log);

}  // namespace smoothlab::eval
