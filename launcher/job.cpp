#include "launcher/job.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <new>
#include <thread>

#include "cluster/error.h"
#include "launcher/rank_launcher.h"

namespace smoothlab::launcher {
namespace {

// Long enough for rank 0 to report a failure that all ranks share and end the others before they repeat it.
constexpr std::chrono::milliseconds report_delay{400};

[[noreturn]] void fail(cluster::Communicator& communicator, const std::string& line, int code) {
  if (!communicator.is_root()) std::this_thread::sleep_for(report_delay);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::string text = "error: " + line;
  if (!communicator.is_root()) text += " [rank " + std::to_string(communicator.rank()) + " on " + host + "]";
  std::cerr << text + "\n" << std::flush;
  communicator.abort(code);
  std::_Exit(code);  // not reached; the compiler does not believe a virtual function
}

}  // namespace

int run_job(int ranks, const std::vector<std::string>& arguments, const RankBody& body) {
  if (ranks > 1 && !cluster::started_as_rank()) return launch_ranks(ranks, arguments);
  const auto communicator = cluster::make_communicator();
  cluster::Log log(communicator->rank());
  if (communicator->size() == 1) return body(*communicator, log);
  try {
    return body(*communicator, log);
  } catch (const Error& error) {
    fail(*communicator, error.what(), static_cast<int>(error.code()));
  } catch (const std::bad_alloc&) {
    fail(*communicator, "out of memory; lower train.global_batch or train.micro_batch",
         static_cast<int>(ExitCode::environment));
  } catch (const std::exception& error) {
    fail(*communicator, Error(ExitCode::failure, error.what(), "", "").what(),
         static_cast<int>(ExitCode::failure));
  }
}

}  // namespace smoothlab::launcher
