#pragma once

#include <string>
#include <vector>

#include "launcher/job.h"

namespace smoothlab::launcher {

/// Starts this program again as the job's ranks, through mpirun, or through srun inside a Slurm allocation,
/// and waits. Returns the exit code of the rank that ended the job (which has told why). Throws RunError
/// where a signal ended a rank, which then could not tell; EnvironmentError where nothing could be started.
///
/// Where the job's body listens (Job::stop), SIGINT, SIGTERM, SIGHUP and SIGUSR2 reach every rank as SIGUSR2:
/// mpirun would answer others by killing the ranks before they could write a checkpoint. A run that SIGINT
/// stopped ends with 0, as it would alone. The first request stands, as in StopSignal; only a second SIGINT
/// ends the job at once. A request that comes before the ranks can hear it is not lost: it is told again
/// until they end. Where the body does not listen, any of these signals ends the job: RunError.
int launch_ranks(const Job& job);

/// The command line that launch_ranks runs.
std::vector<std::string> rank_command(const Job& job);

/// The exit code for what waitpid says of mpirun or srun. Throws as launch_ranks does. `unexplained`: what
/// MPI itself said, where no rank told of an error.
int exit_code_of_job(int status, const std::string& starter, const Job& job,
                     const std::string& unexplained = "");

}  // namespace smoothlab::launcher
