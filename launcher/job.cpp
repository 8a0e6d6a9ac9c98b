#include "launcher/job.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>

#include "cluster/error.h"
#include "cluster/failure.h"
#include "cluster/machine_probe.h"
#include "launcher/rank_launcher.h"

namespace smoothlab::launcher {
namespace {

// Long enough for rank 0 to report a failure that all ranks share, and to end those on other nodes before
// they repeat it.
constexpr std::chrono::milliseconds report_delay{400};
// Long enough for the rank that speaks to end this one.
constexpr std::chrono::seconds silence{10};

/// True for one rank of each node: that which makes the file first. The folder is the job's own, made and
/// removed by mpirun or srun.
bool may_speak() {
  const char* folder = std::getenv("PMIX_SERVER_TMPDIR");
  const char* name = std::getenv("PMIX_NAMESPACE");
  if (!folder || !name) return true;
  const std::string path = std::string(folder) + "/smoothlab-failed-" + name;
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return errno != EEXIST;
  close(file);
  return true;
}

[[noreturn]] void fail(cluster::Communicator& communicator, const Error& error) {
  if (!communicator.is_root()) std::this_thread::sleep_for(report_delay);
  if (may_speak()) {
    std::string text = std::string("error: ") + error.what();
    if (!communicator.is_root())
      text += " [rank " + std::to_string(communicator.rank()) + " on " + cluster::host_name() + "]";
    std::cerr << text + "\n" << std::flush;
  } else {
    std::this_thread::sleep_for(silence);
  }
  communicator.abort(static_cast<int>(error.code()));
  std::_Exit(
      static_cast<int>(error.code()));  // not reached; the compiler does not believe a virtual function
}

}  // namespace

int run_job(const Job& job, const RankBody& body) {
  // A job outlives whoever reads what it says (a pipe into tee or head).
  std::signal(SIGPIPE, SIG_IGN);
  if (job.ranks > 1 && !cluster::started_as_rank()) return launch_ranks(job);
  const auto communicator = cluster::make_communicator();
  const auto log = std::make_shared<cluster::Log>(communicator->rank());
  if (communicator->size() == 1) return body(*communicator, *log);
  if (job.stall_limit.count() > 0)
    communicator->watch_for_stalls(job.stall_limit, [&ranks = *communicator, log](const Error& stall) {
      log->progress_done();
      fail(ranks, stall);
    });
  try {
    if (job.ranks > 1 && job.ranks != communicator->size())
      throw UsageError("--ranks " + std::to_string(job.ranks) + " within a job of " +
                           std::to_string(communicator->size()) + " ranks",
                       "command line", "leave --ranks out under an mpirun or srun of your own");
    return body(*communicator, *log);
  } catch (const std::exception& failure) {
    log->progress_done();
    fail(*communicator, cluster::as_error(failure));
  }
}

}  // namespace smoothlab::launcher
