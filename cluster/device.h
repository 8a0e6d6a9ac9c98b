#pragma once

#include <c10/core/Device.h>

#include <string>

#include "cluster/communicator.h"

namespace smoothlab::cluster {

/// Where this rank computes: device and CPU threads. "auto" takes CUDA where the build and machine have it.
struct Placement {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  int threads = 1;  ///< CPU threads for this rank: its share of the cores that the job may use
};

/// wanted: "auto", "cpu" or "cuda". Throws EnvironmentError where it cannot be had.
Placement place_rank(const Communicator& communicator, const std::string& wanted);

/// Cores this process may run on (affinity mask and cgroup quota).
int available_cores();

}  // namespace smoothlab::cluster
