#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "cluster/communicator.h"

namespace smoothlab::cluster {

/// Where this rank computes: device and CPU threads.
struct Placement {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  int threads = 1;  ///< CPU threads for this rank
};

/// wanted: "auto", "cpu" or "cuda". "auto" takes CUDA where LibTorch and every rank's machine have it and the
/// communicator carries its tensors, else the CPU. Collective: ranks of a node compare which cores they may
/// use, because mpirun may give each its own or all the same. Each rank has a CUDA device of its own
/// (device_of_rank).
/// threads: CPU threads for this rank; 0: OMP_NUM_THREADS where it is set, else the rank's share of the cores
/// that the ranks of the node may use.
/// Throws UsageError for another word and EnvironmentError where the device cannot be had or OMP_NUM_THREADS
/// is no number.
Placement place_rank(Communicator& communicator, const std::string& wanted, int threads = 0);

/// Threads that OMP_NUM_THREADS asks for at the outermost level ("4" of "4,2"), or 0 for a null or empty one.
/// Throws EnvironmentError.
int wanted_threads(const char* omp_num_threads);

/// Sets up this process for it: thread counts of ATen, OpenMP and a BLAS with threads of its own (OpenBLAS),
/// and an allocator that keeps the memory of one step for the next.
void apply(const Placement& placement);

/// Whether ranks compute on CUDA: what place_rank decides once it knows that `everywhere` each rank has a
/// device, and whether the communicator (named by its backend) carries CUDA tensors. Throws EnvironmentError
/// with `rank` as its place.
bool takes_cuda(const std::string& wanted, bool everywhere, bool carried, const std::string& backend,
                const std::string& rank);

/// What a rank sees of its node's CUDA devices.
struct DeviceView {
  std::string host, visible;  ///< its host and CUDA_VISIBLE_DEVICES
  int devices = 0;
};
/// Which of the devices that it sees a rank takes: the ranks of a node that see the same ones take them in
/// turn. -1 where there are fewer devices than such ranks.
int device_of_rank(const std::vector<DeviceView>& ranks, int rank);

/// CUDA devices that LibTorch sees; 0 also where it was built without CUDA.
int cuda_devices();

/// Cores this process may run on (affinity mask and cgroup quota), at least 1.
int available_cores();

/// CPU quota in whole cores, at least 1, or `unlimited` where there is none. own_groups: text of
/// /proc/self/cgroup. mount: where cgroups (version 1 or 2) are mounted, /sys/fs/cgroup.
int quota_cores(const std::string& own_groups, const std::string& mount, int unlimited);

}  // namespace smoothlab::cluster
