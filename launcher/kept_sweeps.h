#pragma once

#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "eval/temperature_sweep.h"

namespace smoothlab::launcher {

/// Where a run keeps its sweeps: of several steps, splits and beams.
std::string sweeps_file(const std::string& folder);
/// Those that it has; none where the file is missing. Throws DataError where it is damaged.
std::vector<eval::TemperatureSweep> read_sweeps(const cluster::FileSystem& files, const std::string& folder);

/// Gives the sweep a point for each of the temperatures, with what `kept` has of the same origin.
void take_known(const std::vector<eval::TemperatureSweep>& kept, const std::vector<double>& temperatures,
                eval::TemperatureSweep& sweep);
/// Adds the sweep to the run's file. Throws DataError where that is damaged.
void keep_sweep(cluster::FileSystem& files, const std::string& folder, const eval::TemperatureSweep& sweep);

}  // namespace smoothlab::launcher
