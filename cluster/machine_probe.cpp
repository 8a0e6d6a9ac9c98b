#include "cluster/machine_probe.h"

#include "cluster/gpu.h"

#include <ATen/ATen.h>
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>

namespace smoothlab::cluster {

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.find(": ") + 2, line.size()));
  return "";
}

double matrix_gflops() {
  constexpr int64_t size = 768;
  const at::Tensor a = at::ones({size, size});
  double best = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < 4; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    const at::Tensor product = at::mm(a, a);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return 2e-9 * size * size * size / best;
}

bool torch_has_onednn() {
  return at::hasMKLDNN();
}

bool torch_has_cuda() {
  return built_with_cuda();  // at::hasCUDA() asks for a device too
}

std::string bf16_instructions() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    for (const char* feature : {"amx_bf16", "avx512_bf16"})
      if ((line + " ").find(std::string(" ") + feature + " ") != std::string::npos) return feature;
    break;
  }
  return "";
}

std::string nccl_version() {
  void* library = dlopen("libnccl.so.2", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return "";
  int version = 0;
  const auto get = reinterpret_cast<int (*)(int*)>(dlsym(library, "ncclGetVersion"));
  const bool known = get && get(&version) == 0;
  dlclose(library);
  return known ? nccl_version_text(version) : "of unknown version";
}

std::string nccl_version_text(int number) {
  // 2.8.4 is 2804; from 2.9 on 2.22.3 is 22203.
  const int major = number < 10000 ? number / 1000 : number / 10000;
  const int minor = number < 10000 ? number % 1000 / 100 : number % 10000 / 100;
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(number % 100);
}

}  // namespace smoothlab::cluster
