#pragma once

#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/log.h"
#include "eval/temperature_sweep.h"
#include "eval/translation.h"
#include "trainer/loaded_run.h"

namespace smoothlab::launcher {

/// How a run's translator is looked at over temperatures.
struct SweepWishes {
  std::vector<double> temperatures;  ///< rising, each once
  std::string split;                 ///< "validation", "test"; empty: what the recipe evaluates
  trainer::LoadOptions load;
  eval::BeamOptions beam;  ///< its temperature aside
  eval::BatchLimits batches;
  cluster::PlacementWish placement;
};

/// Works out what the run's file (see kept_sweeps.h) does not have yet, and keeps it there: NLL and ECE at
/// all temperatures in one pass, teacher-forced; then for each temperature the BLEU of a beam search of the
/// split's sources against its plain text. The file is written after the pass and after each temperature, so
/// that little is lost. Returns the points of the temperatures asked for. Collective.
///
/// Throws UsageError for a run that does not translate or has no such split, DataError where sources and
/// references are not equally many, and as load_run, eval::evaluate and eval::translate do.
eval::TemperatureSweep sweep_run(const std::string& folder, const SweepWishes& wishes,
                                 cluster::Communicator& communicator, cluster::Log& log);

}  // namespace smoothlab::launcher
