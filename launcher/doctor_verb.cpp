#include <ATen/ATen.h>
#include <hdf5.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/build_info.h"
#include "cluster/device.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

struct Finding {
  std::string item, state;
  bool good = true;
  std::string consequence;  ///< what is missing for what, or what to do
};

std::string first_line_of(const std::string& command) {
  std::array<char, 256> line{};
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (!pipe) return "";
  const bool any = std::fgets(line.data(), line.size(), pipe) != nullptr;
  pclose(pipe);
  std::string text = any ? line.data() : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Finding tool(const std::string& name, const std::string& version_command, const std::string& consequence) {
  const std::string version = first_line_of(version_command);
  return {name, version.empty() ? "not found" : version, !version.empty(),
          version.empty() ? consequence : ""};
}

Finding blas() {
  const at::Tensor a = at::ones({768, 768});
  double best = 1e9;
  for (int repeat = 0; repeat < 4; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    const at::Tensor product = at::mm(a, a);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  const double gflops = 2.0 * 768 * 768 * 768 / best * 1e-9;
  const std::string library = cluster::blas_library();
  const bool fast = gflops > 10;
  char text[64];
  std::snprintf(text, sizeof text, "%.0f GFLOP/s", gflops);
  return {"BLAS", std::string(text) + (library.empty() ? "" : " from " + library), fast,
          fast ? "" : "slow matrix products: install libopenblas0-pthread"};
}

bool cpu_has(const std::string& feature) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("flags", 0) == 0) return (line + " ").find(" " + feature + " ") != std::string::npos;
  return false;
}

Finding bf16() {
  if (cpu_has("amx_bf16")) return {"bf16 on this CPU", "amx_bf16", true, ""};
  if (cpu_has("avx512_bf16")) return {"bf16 on this CPU", "avx512_bf16", true, ""};
  return {"bf16 on this CPU", "emulated", true, "train.precision: fp32 may be faster here"};
}

Finding hdf5() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return {"HDF5", std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release), true,
          ""};
}

Finding memory() {
  const double total = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  struct statvfs disk {};
  const double free =
      statvfs(".", &disk) == 0
          ? static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) / (1 << 30)
          : 0;
  char text[96];
  std::snprintf(text, sizeof text, "%.0f GiB memory, %.0f GiB free on this disk", total, free);
  return {"room", text, free > 1, free > 1 ? "" : "checkpoints and logit files need space"};
}

Finding data_folder() {
  const char* folder = std::getenv("SMOOTHLAB_DATA");
  if (!folder)
    return {"SMOOTHLAB_DATA", "not set", true, "recipes of real data name their files by it"};
  const bool there = std::filesystem::is_directory(folder);
  return {"SMOOTHLAB_DATA", folder, there, there ? "" : "no such folder"};
}

std::vector<Finding> examine() {
  std::vector<Finding> all;
  all.push_back({"smoothlab", cluster::code_version(), true, ""});
  all.push_back({"LibTorch", cluster::torch_version(), true, ""});
  all.push_back({"oneDNN", at::hasMKLDNN() ? "yes" : "no", at::hasMKLDNN(),
                 at::hasMKLDNN() ? "" : "convolutions will be slow: use a LibTorch built with it"});
  all.push_back(blas());
  all.push_back(bf16());
  all.push_back({"CPU cores for this process", std::to_string(cluster::available_cores()), true, ""});
  all.push_back({"CUDA", at::hasCUDA() ? "in this LibTorch" : "not in this LibTorch", true,
                 at::hasCUDA() ? "" : "training runs on the CPU"});
  all.push_back({"MPI", cluster::mpi_version(), true, ""});
  all.push_back(tool("mpirun", "mpirun --version", "--ranks needs it: install openmpi-bin"));
  const std::string srun = first_line_of("srun --version");
  all.push_back({"Slurm", srun.empty() ? "not found" : srun, true, ""});
  all.push_back(hdf5());
  all.push_back(tool("gnuplot", "gnuplot --version", "figures need it: install gnuplot-nox"));
  all.push_back(memory());
  all.push_back(data_folder());
  return all;
}

}  // namespace

int doctor_verb(const std::vector<std::string>& arguments) {
  Options options("doctor [--json]", "Says what this build and machine have, and what is missing for what.");
  options.flag("json", "print one JSON object");
  if (!options.parse(arguments, 0, 0)) return 0;
  const auto findings = examine();
  if (options.has("json")) {
    nlohmann::ordered_json json;
    for (const auto& finding : findings)
      json[finding.item] = {
          {"state", finding.state}, {"good", finding.good}, {"consequence", finding.consequence}};
    std::cout << json.dump(2) << '\n';
    return 0;
  }
  for (const auto& finding : findings) {
    std::cout << (finding.good ? "  ok   " : "  LACK ") << finding.item
              << std::string(28 - std::min<size_t>(27, finding.item.size()), ' ') << finding.state;
    if (!finding.consequence.empty()) std::cout << "  (" << finding.consequence << ")";
    std::cout << '\n';
  }
  return 0;
}

}  // namespace smoothlab::launcher
