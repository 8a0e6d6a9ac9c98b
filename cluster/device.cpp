#include "cluster/device.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
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
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "cluster/error.h"
#include "cluster/gpu.h"
#include "cluster/kept_memory.h"
#include "cluster/machine_probe.h"
#include "cluster/torch_compat.h"

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

DeviceView own_view(bool wants_device) {
  DeviceView view;
  view.host = host_name();
  if (!wants_device) return view;
  // LibTorch may refuse what the runtime sees.
  if (cuda_devices() > 0) view.devices = gpu_identities();
  if (view.devices.empty()) view.trouble = gpu_trouble();
  return view;
}

std::vector<DeviceView> device_views(Communicator& communicator, bool want_devices) {
  const DeviceView own = own_view(want_devices);
  std::string text = own.host + "\n" + own.trouble;
  for (const std::string& device : own.devices) text += "\n" + device;
  std::vector<DeviceView> views;
  for (const std::string& entry : communicator.allgather_text(text)) {
    std::istringstream lines(entry);
    DeviceView& view = views.emplace_back();
    std::getline(lines, view.host);
    std::getline(lines, view.trouble);
    for (std::string device; std::getline(lines, device);) view.devices.push_back(device);
  }
  return views;
}

/// Whether any two ranks compute on one device.
bool any_shared(const std::vector<DeviceView>& views, const std::vector<int>& devices) {
  std::set<std::pair<std::string, std::string>> taken;
  for (size_t rank = 0; rank < views.size(); ++rank)
    if (!taken.emplace(views[rank].host, views[rank].devices.at(static_cast<size_t>(devices[rank]))).second)
      return true;
  return false;
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
    std::string root = mount;
    if (!controllers.empty()) root.append("/").append(controllers);
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

std::vector<int> devices_of_ranks(const std::vector<DeviceView>& ranks, bool share) {
  std::vector<size_t> order(ranks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ranks[a].devices.size() < ranks[b].devices.size(); });
  std::map<std::pair<std::string, std::string>, int> load;
  std::vector<int> taken(ranks.size(), -1);
  for (const size_t rank : order) {
    int* least = nullptr;
    for (size_t device = 0; device < ranks[rank].devices.size(); ++device) {
      int& others = load[{ranks[rank].host, ranks[rank].devices[device]}];
      if ((least && others >= *least) || (others > 0 && !share)) continue;
      least = &others;
      taken[rank] = static_cast<int>(device);
    }
    if (least) ++*least;
  }
  return taken;
}

int cuda_devices() {
  return static_cast<int>(torch::cuda::device_count());
}

bool takes_cuda(const std::string& device, const std::vector<DeviceView>& ranks,
                const std::vector<int>& devices, bool carried, const std::string& backend) {
  if (device == "cpu") return false;
  const auto lacking = std::find(devices.begin(), devices.end(), -1);
  if (device == "auto") return lacking == devices.end() && carried;
  if (lacking != devices.end()) {
    const DeviceView& view = ranks[static_cast<size_t>(lacking - devices.begin())];
    const std::string where = "rank " + std::to_string(lacking - devices.begin()) + " on " + view.host;
    if (view.devices.empty())
      throw EnvironmentError("there is no CUDA device: " + view.trouble, where,
                             "use device cpu, or a machine, driver and LibTorch with CUDA; smoothlab doctor "
                             "says what is there");
    throw EnvironmentError("more ranks on a node than CUDA devices",
                           where + ", which sees " + std::to_string(view.devices.size()),
                           "start fewer ranks a node, or add --share-gpu");
  }
  if (!carried)
    throw EnvironmentError("ranks cannot exchange CUDA tensors through " + backend, "rank 0",
                           "train on one rank, use device cpu, or build with NCCL");
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

Placement place_rank(Communicator& communicator, const std::string& device, const PlacementWish& wish) {
  if (device != "auto" && device != "cpu" && device != "cuda")
    throw UsageError("unknown device '" + device + "'", "device", "use auto, cpu or cuda");
  Placement placement;
  const int shared = node_cores(communicator);
  const int share = std::min(shared, own_quota(shared)) / communicator.local_size();
  placement.threads = wish.threads > 0 ? wish.threads : wanted_threads(std::getenv("OMP_NUM_THREADS"));
  if (placement.threads == 0) placement.threads = std::clamp(share, 1, available_cores());
  const std::vector<DeviceView> views = device_views(communicator, device != "cpu");
  const std::vector<int> devices = devices_of_ranks(views, wish.share_gpu);
  // All ranks compute on the same kind of device, or their collectives would not match.
  const bool cuda =
      takes_cuda(device, views, devices, communicator.carries(c10::DeviceType::CUDA), communicator.backend());
  if (cuda)
    placement.device =
        c10::Device(c10::DeviceType::CUDA,
                    static_cast<c10::DeviceIndex>(devices[static_cast<size_t>(communicator.rank())]));
  communicator.attach(placement.device, cuda && any_shared(views, devices));
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
  keep_tensor_memory();
  if (!placement.device.is_cuda()) return;
  c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).setDevice(placement.device);
  apply_for_turn(placement);
  at::globalContext().setBenchmarkCuDNN(true);
}

void apply_for_turn(const Placement& placement) {
  if (placement.device.is_cuda()) allow_tf32(placement.tf32);
}

}  // namespace smoothlab::cluster
