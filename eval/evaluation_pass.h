#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/log.h"
#include "data/dataset.h"
#include "eval/calibration.h"
#include "eval/logit_file.h"
#include "models/network.h"

namespace smoothlab::eval {

struct EvaluationOptions {
  int64_t batch = 128;
  bool bf16 = false;
  bool channels_last = false;
  std::string logits;           ///< path of the logit file to write; empty: none
  bool keep_penultimate = true;
  LogitPrecision precision = LogitPrecision::float32;
  LogitOrigin origin;           ///< its ranks are filled in by the pass
};

/// Runs a split through a network, each sample exactly once over all ranks, and returns the sums over all
/// ranks. Collective. Streams every row to a logit file if one is asked for: a shard a rank beside it, the
/// file itself published by rank 0 when all shards are whole.
CalibrationSums evaluate(models::Network& network, std::shared_ptr<const data::Dataset> dataset,
                         cluster::Communicator& communicator, const cluster::Placement& placement,
                         const EvaluationOptions& options, cluster::Log& log);

}  // namespace smoothlab::eval
