#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "cluster/gpu.h"

namespace smoothlab::cluster {

bool built_with_cuda() {
  return true;
}

std::vector<std::string> gpu_identities() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess) return {};
  std::vector<std::string> identities;
  for (int device = 0; device < devices; ++device) {
    std::string identity;
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, device) == cudaSuccess)
      for (const char byte : properties.uuid.bytes)
        identity += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    identities.push_back(identity.empty() ? fmt::format("device {}", device) : identity);
  }
  return identities;
}

std::string gpu_trouble() {
  int devices = 0;
  const cudaError_t found = cudaGetDeviceCount(&devices);
  (void)cudaGetLastError();  // or the next call of anybody would report it
  if (found != cudaSuccess) return cudaGetErrorString(found);
  return devices == 0 ? "the CUDA runtime sees no device" : "";
}

std::string gpu_name(int device) {
  cudaDeviceProp properties{};
  return cudaGetDeviceProperties(&properties, device) == cudaSuccess ? properties.name : "";
}

int64_t gpu_free_bytes(int device) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  size_t free = 0, total = 0;
  return cudaMemGetInfo(&free, &total) == cudaSuccess ? static_cast<int64_t>(free) : 0;
}

std::string gpu_memory() {
  size_t free = 0, total = 0;
  int device = 0;
  if (c10::cuda::device_count() == 0 || cudaGetDevice(&device) != cudaSuccess ||
      cudaMemGetInfo(&free, &total) != cudaSuccess)
    return "";
  constexpr double gib = 1 << 30;
  double held = 0;
  try {
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    held = static_cast<double>(stats.reserved_bytes[0].current);
  } catch (const c10::Error&) {
    // Nothing was ever allocated there.
  }
  return fmt::format("{:.1f} GiB in all, {:.1f} GiB free, {:.1f} GiB held by this process",
                     static_cast<double>(total) / gib, static_cast<double>(free) / gib, held / gib);
}

}  // namespace smoothlab::cluster
