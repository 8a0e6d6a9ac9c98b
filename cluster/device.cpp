#include "cluster/device.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>
#include <torch/cuda.h>
#include <unistd.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "cluster/error.h"
#include "cluster/machine_probe.h"

namespace smoothlab::cluster {
namespace {

constexpr size_t most_cores = 8192;
constexpr int most_threads = 4096;
using Cores = std::bitset<most_cores>;

Cores own_cores() {
  Cores cores;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(most_cores),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  const size_t bytes = CPU_ALLOC_SIZE(most_cores);
  CPU_ZERO_S(bytes, set.get());
  if (sched_getaffinity(0, bytes, set.get()) == 0)
    for (size_t core = 0; core < most_cores; ++core) cores[core] = CPU_ISSET_S(core, bytes, set.get());
  if (cores.none()) cores.set(0);
  return cores;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

int own_quota(int unlimited) {
  return quota_cores(contents("/proc/self/cgroup"), "/sys/fs/cgroup", unlimited);
}

/// Cores that the ranks of this node may use together.
int node_cores(Communicator& communicator) {
  const std::string host = host_name() + "\n";
  Cores together;
  for (const std::string& entry : communicator.allgather_text(host + own_cores().to_string()))
    if (entry.compare(0, host.size(), host) == 0) together |= Cores(entry.substr(host.size()));
  return static_cast<int>(together.count());
}

std::vector<DeviceView> device_views(Communicator& communicator, int devices) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  std::vector<DeviceView> views;
  for (const std::string& entry : communicator.allgather_text(host_name() + "\n" + std::to_string(devices) +
                                                              "\n" + (visible ? visible : ""))) {
    std::istringstream lines(entry);
    DeviceView view;
    std::getline(lines, view.host);
    lines >> view.devices;
    lines.ignore();
    std::getline(lines, view.visible);
    views.push_back(view);
  }
  return views;
}

/// Quota in cores of one cgroup folder, or 0 where it sets none.
double folder_quota(const std::string& folder) {
  std::istringstream second_version(contents(folder + "/cpu.max"));
  std::string quota_text;
  double quota = 0, period = 0;
  if (second_version >> quota_text >> period)
    return quota_text == "max" || period <= 0 ? 0 : std::atof(quota_text.c_str()) / period;
  if (std::istringstream(contents(folder + "/cpu.cfs_quota_us")) >> quota && quota > 0 &&
      std::istringstream(contents(folder + "/cpu.cfs_period_us")) >> period && period > 0)
    return quota / period;
  return 0;
}

}  // namespace

int quota_cores(const std::string& own_groups, const std::string& mount, int unlimited) {
  double least = unlimited;
  std::istringstream lines(own_groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string root = controllers.empty() ? mount : mount + "/" + controllers;
    // A limit of any enclosing group holds as well. Inside a container the path may not exist: go up.
    for (std::string path = line.substr(second + 1);; path.resize(path.find_last_of('/'))) {
      const double quota = folder_quota(root + path);
      if (quota > 0) least = std::min(least, quota);
      if (path.find_last_of('/') == std::string::npos) break;
    }
  }
  return std::max(1, static_cast<int>(std::floor(least)));
}

int available_cores() {
  const int cores = static_cast<int>(own_cores().count());
  return std::min(cores, own_quota(cores));
}

int device_of_rank(const std::vector<DeviceView>& ranks, int rank) {
  const DeviceView& own = ranks.at(static_cast<size_t>(rank));
  int before = 0, alike = 0;
  for (size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].host != own.host || ranks[r].visible != own.visible) continue;
    ++alike;
    before += static_cast<int>(r) < rank;
  }
  return alike <= own.devices ? before : -1;
}

int cuda_devices() {
  return static_cast<int>(torch::cuda::device_count());
}

bool takes_cuda(const std::string& wanted, bool everywhere, bool carried, const std::string& backend,
                const std::string& rank) {
  if (wanted == "cpu") return false;
  if (wanted == "auto") return everywhere && carried;
  if (!everywhere)
    throw EnvironmentError("not every rank has a CUDA device of its own", rank,
                           "use device cpu, fewer ranks a node, or a machine and a LibTorch with CUDA");
  if (!carried)
    throw EnvironmentError("ranks cannot exchange CUDA tensors through " + backend, rank,
                           "train on one rank, or use device cpu");
  return true;
}

int wanted_threads(const char* omp_num_threads) {
  if (!omp_num_threads || !*omp_num_threads) return 0;
  char* end = nullptr;
  const long threads = std::strtol(omp_num_threads, &end, 10);
  if ((*end != '\0' && *end != ',') || threads < 1 || threads > most_threads)
    throw EnvironmentError(
        std::string("OMP_NUM_THREADS is '") + omp_num_threads + "'", "environment",
        "set it to a number of threads, 1 to " + std::to_string(most_threads) + ", or unset it");
  return static_cast<int>(threads);
}

Placement place_rank(Communicator& communicator, const std::string& wanted, int threads) {
  if (wanted != "auto" && wanted != "cpu" && wanted != "cuda")
    throw UsageError("unknown device '" + wanted + "'", "device", "use auto, cpu or cuda");
  Placement placement;
  const int shared = node_cores(communicator);
  const int share = std::min(shared, own_quota(shared)) / communicator.local_size();
  placement.threads = threads > 0 ? threads : wanted_threads(std::getenv("OMP_NUM_THREADS"));
  if (placement.threads == 0) placement.threads = std::clamp(share, 1, available_cores());
  const std::vector<DeviceView> views = device_views(communicator, wanted == "cpu" ? 0 : cuda_devices());
  const int device = device_of_rank(views, communicator.rank());
  const DeviceView& view = views[static_cast<size_t>(communicator.rank())];
  // All ranks compute on the same kind of device, or their collectives would not match.
  const bool cuda = takes_cuda(wanted, communicator.agree_all(device >= 0),
                               communicator.carries(c10::DeviceType::CUDA), communicator.backend(),
                               "rank " + std::to_string(communicator.rank()) + " on " + view.host +
                                   ", which sees " + std::to_string(view.devices));
  if (cuda) placement.device = c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device));
  communicator.attach(placement.device);
  return placement;
}

void apply(const Placement& placement) {
  at::set_num_threads(placement.threads);
#ifdef _OPENMP
  omp_set_num_threads(placement.threads);  // a LibTorch from elsewhere brings an OpenMP of its own
#endif
  // OpenBLAS with pthreads takes no notice of OpenMP's setting. It is there or not as the machine chose.
  using SetThreads = void (*)(int);
  if (auto set_threads = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set_threads(placement.threads);
  // glibc gives large blocks back to the kernel as soon as they are free. A training step takes the same ones
  // again, and every page of them would fault once more.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2047 << 20);
}

}  // namespace smoothlab::cluster
