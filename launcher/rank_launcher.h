#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// Starts this program again as `ranks` ranks with these arguments, through mpirun, or through srun inside a
/// Slurm allocation, and waits. Returns the exit code that the job ends with.
///
/// SIGINT, SIGTERM and SIGUSR2 reach every rank as SIGUSR2: mpirun would answer the first two by killing the
/// ranks before they could write a checkpoint. A run that SIGINT stopped ends with 0, as it would alone. A
/// second signal ends the job at once.
int launch_ranks(int ranks, const std::vector<std::string>& arguments);

/// The command line that launch_ranks runs.
std::vector<std::string> rank_command(int ranks, const std::vector<std::string>& arguments);

}  // namespace smoothlab::launcher
