#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/log.h"
#include "cluster/stop_signal.h"

namespace smoothlab::launcher {

/// What a verb does as one rank of its job. The result is the exit code.
using RankBody = std::function<int(cluster::Communicator&, cluster::Log&)>;

struct Job {
  int ranks = 1;
  std::vector<std::string> arguments;  ///< the whole command line, verb first, that makes a rank of a process
  std::string after_death;             ///< what to do when a rank was killed, as an error says it
  std::chrono::seconds stall_limit{600};  ///< how long ranks may wait for one another; 0: for ever
  bool reads_stdin = false;  ///< rank 0 does; elsewhere, and without it, there is nothing to read
  bool is_filter = false;    ///< ends without a word, of SIGPIPE or with 141, where nobody reads its stdout
  /// By which the body hears of requests to stop; null where it hears none, and a request ends the job.
  const cluster::StopSignal* stop = nullptr;
};

/// Runs `body` as a job: in this process when one rank is asked for or this process is a rank already, else
/// by starting the ranks.
///
/// A rank whose body throws prints one line and ends the job on every rank (contract: one failure ends the
/// job, fast and with a reason). Where several ranks fail, one of them speaks.
int run_job(const Job& job, const RankBody& body);

}  // namespace smoothlab::launcher
