#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/file_system.h"
#include "trainer/metrics_log.h"

namespace smoothlab::trainer {

/// What a run's metrics.jsonl says last; of a run that trains, how far it has got.
struct LastMetrics {
  int64_t step = 0;    ///< of the last line about training; 0: none yet
  double seconds = 0;  ///< of training until then, all sittings
  double samples_per_second = 0;
  std::optional<EvaluationMetrics> evaluation;
};

/// Reads the file from its end. A missing file says nothing, nor does a line that is not finished or no
/// metric.
LastMetrics last_metrics(const cluster::FileSystem& files, const std::string& path);

}  // namespace smoothlab::trainer
