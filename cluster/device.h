#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "cluster/communicator.h"

namespace smoothlab::cluster {

/// Where and how this rank computes.
struct Placement {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  int threads = 1;    ///< CPU threads for this rank
  bool tf32 = false;  ///< float32 products on CUDA may round their factors (TF32)
};

/// What whoever starts a job may ask for.
struct PlacementWish {
  /// CPU threads of each rank; 0: OMP_NUM_THREADS where it is set, else the rank's share of the cores that
  /// the ranks of the node may use.
  int threads = 0;
  bool share_gpu = false;  ///< several ranks may compute on one CUDA device
};

/// device: "auto", "cpu" or "cuda". "auto" takes CUDA where LibTorch and every rank's machine have it and the
/// communicator carries its tensors, else the CPU. Collective: ranks of a node compare which cores and which
/// devices they may use, because mpirun and srun may give each its own or all the same. Each rank has a CUDA
/// device of its own unless they may share (devices_of_ranks).
/// Throws UsageError for another word and EnvironmentError where the device cannot be had or OMP_NUM_THREADS
/// is no number.
Placement place_rank(Communicator& communicator, const std::string& device, const PlacementWish& wish = {});

/// Threads that OMP_NUM_THREADS asks for at the outermost level ("4" of "4,2"), or 0 for a null or empty one.
/// Throws EnvironmentError.
int wanted_threads(const char* omp_num_threads);

/// Sets up this process for it: thread counts of ATen, OpenMP and a BLAS with threads of its own (OpenBLAS),
/// an allocator that keeps the memory of one step for the next; and on CUDA the current device, TF32 and the
/// search for the fastest convolutions.
void apply(const Placement& placement);
/// What of it a process that holds several runs sets anew whenever another one's turn comes: TF32.
void apply_for_turn(const Placement& placement);

/// What a rank sees of its node's CUDA devices.
struct DeviceView {
  std::string host;
  std::vector<std::string> devices;  ///< identities, see gpu.h
  std::string trouble;               ///< why it sees none
};
/// Which of the devices that it sees each rank takes: those with the fewest to choose from first, each the
/// first device that the fewest others have taken. -1 where all are taken and they are not to be shared.
std::vector<int> devices_of_ranks(const std::vector<DeviceView>& ranks, bool share);

/// Whether ranks compute on CUDA, of what place_rank knows on all of them: the device that each has, -1 for
/// none, and whether the communicator (named by its backend) carries CUDA tensors. Throws EnvironmentError
/// where device is "cuda" and cannot be had; it names the first rank without one.
bool takes_cuda(const std::string& device, const std::vector<DeviceView>& ranks,
                const std::vector<int>& devices, bool carried, const std::string& backend);

/// CUDA devices that LibTorch sees; 0 also where it was built without CUDA.
int cuda_devices();

/// Cores this process may run on (affinity mask and cgroup quota), at least 1.
int available_cores();

/// CPU quota in whole cores, at least 1, or `unlimited` where there is none. own_groups: text of
/// /proc/self/cgroup. mount: where cgroups (version 1 or 2) are mounted, /sys/fs/cgroup.
int quota_cores(const std::string& own_groups, const std::string& mount, int unlimited);

}  // namespace smoothlab::cluster
