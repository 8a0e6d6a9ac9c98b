#include "cluster/gpu.h"

namespace smoothlab::cluster {

bool built_with_cuda() {
  return false;
}

std::vector<std::string> gpu_identities() {
  return {};
}

std::string gpu_trouble() {
  return "this program is built without CUDA";
}

std::string gpu_name(int /*device*/) {
  return "";
}

int64_t gpu_free_bytes(int /*device*/) {
  return 0;
}

std::string gpu_memory() {
  return "";
}

}  // namespace smoothlab::cluster
