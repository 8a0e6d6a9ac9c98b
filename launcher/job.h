#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/log.h"

namespace smoothlab::launcher {

/// What a verb does as one rank of its job. The result is the exit code.
using RankBody = std::function<int(cluster::Communicator&, cluster::Log&)>;

/// Runs `body` as a job of `ranks` ranks: in this process when one rank is asked for or this process is a rank
/// already, else by starting the ranks with `arguments` (the whole command line, verb first).
///
/// A rank whose body throws prints one line and ends the job on every rank (contract: one failure ends the
/// job, fast and with a reason). Where all ranks fail alike, only the first rank's line is seen.
int run_job(int ranks, const std::vector<std::string>& arguments, const RankBody& body);

}  // namespace smoothlab::launcher
