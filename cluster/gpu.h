#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::cluster {

// What the CUDA runtime knows of this node's devices. In a build without CUDA there are none.

/// Whether this build can use one at all.
bool built_with_cuda();

/// The identity of each device that this process sees, in its order: the same text for the same device in
/// every process of the node, whatever number CUDA_VISIBLE_DEVICES gives it there.
std::vector<std::string> gpu_identities();

/// Why this process can use no device, in the runtime's words ("CUDA driver version is insufficient for CUDA
/// runtime version"); empty where it can use one.
std::string gpu_trouble();

/// "NVIDIA H200".
std::string gpu_name(int device);

/// Free memory of a CUDA device in bytes; 0 where it cannot be told.
int64_t gpu_free_bytes(int device);

/// How full the current device is, for an error: "79.1 GiB in all, 0.4 GiB free, 75.0 GiB held by this
/// process". Empty where no device is in use.
std::string gpu_memory();

}  // namespace smoothlab::cluster
