#pragma once

#include <string>
#include <vector>

#include "cluster/device.h"
#include "launcher/job.h"
#include "launcher/options.h"

namespace smoothlab::launcher {

/// Declares the options that every verb which runs on several ranks has: ranks, threads, share-gpu,
/// stall-limit.
Options& add_job_options(Options& options);

/// The job that they ask for; what it is to do, and what to do after a death, is the verb's. arguments: the
/// verb's own, as it got them. Throws UsageError.
Job make_job(const Options& options, const std::string& verb, const std::vector<std::string>& arguments);

/// What they say about where each rank computes. Throws UsageError.
cluster::PlacementWish placement_wish(const Options& options);

}  // namespace smoothlab::launcher
