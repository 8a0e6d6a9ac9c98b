#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/file_system.h"
#include "models/network.h"
#include "trainer/metrics_log.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// What a run came to: RUN/summary.json, there when all its steps and its last evaluation are done and not
/// before. A run that is then made longer has none until it has ended again.
struct RunSummary {
  int64_t step = 0;                ///< steps done, all of them
  double seconds = 0;              ///< of training, all sittings
  double samples_per_second = 0;   ///< over all of them
  int64_t parameters = 0;          ///< of the network
  int ranks = 1, threads = 1;      ///< of the last sitting; threads of each rank
  std::string device, processor;   ///< "cpu" or "cuda"; what it is called
  std::string precision, backend;  ///< "bf16"; "mpi"
  std::string code_version, torch_version;
  std::string recipe_hash;
  /// What stands for a run that has chosen (checkpoint.best).
  struct Best {
    std::string metric;  ///< "accuracy"
    int64_t step = 0;
  };
  std::optional<Best> best;                     ///< none: the last checkpoint stands for it
  std::optional<EvaluationMetrics> evaluation;  ///< of what stands for it
  int64_t standing_step() const { return best ? best->step : step; }
};

/// What it says before the first step: of the network, of where and how it trains, and of the program.
RunSummary begun_summary(const Recipe& recipe, const models::Network& network,
                         const cluster::Communicator& communicator, const cluster::Placement& placement);
/// Where it stands in a run's folder.
std::string summary_path(const std::string& folder);
/// Written whole or not at all. Throws EnvironmentError.
void write_summary(cluster::FileSystem& files, const std::string& folder, const RunSummary& summary);
/// None where the run has not ended. Throws DataError where the file is no summary.
std::optional<RunSummary> read_summary(const cluster::FileSystem& files, const std::string& folder);

}  // namespace smoothlab::trainer
