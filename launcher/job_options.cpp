#include "launcher/job_options.h"

#include <chrono>

namespace smoothlab::launcher {

Options& add_job_options(Options& options) {
  return options.value("ranks", "N", "ranks to start", "1")
      .value("threads", "N", "CPU threads a rank; OMP_NUM_THREADS, or its share of the cores, without it")
      .flag("share-gpu", "several ranks may compute on one GPU")
      .value("stall-limit", "SECONDS", "ends the job when ranks wait this long for one; 0: never", "600");
}

Job make_job(const Options& options, const std::string& verb, const std::vector<std::string>& arguments) {
  Job job;
  job.ranks = static_cast<int>(options.integer("ranks", 1, 65536));
  job.stall_limit = std::chrono::seconds(options.integer("stall-limit", 0, 1000000));
  job.arguments = arguments;
  job.arguments.insert(job.arguments.begin(), verb);
  return job;
}

cluster::PlacementWish placement_wish(const Options& options) {
  cluster::PlacementWish wish;
  if (options.has("threads")) wish.threads = static_cast<int>(options.integer("threads", 1, 4096));
  wish.share_gpu = options.has("share-gpu");
  return wish;
}

}  // namespace smoothlab::launcher
