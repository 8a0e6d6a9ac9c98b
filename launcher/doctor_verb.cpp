#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/build_info.h"
#include "cluster/device.h"
#include "cluster/machine_probe.h"
#include "eval/hdf5_version.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

struct Finding {
  std::string item, state;
  bool good = true;
  std::string consequence;  ///< what is missing for what, or what to do
};

std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (!pipe) return lines;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe)) {
    std::string line = buffer.data();
    while (!line.empty() && line.back() == '\n') line.pop_back();
    lines.push_back(line);
  }
  if (pclose(pipe) != 0) lines.clear();
  return lines;
}

std::string first_line_of(const std::string& command) {
  const auto lines = lines_of(command);
  return lines.empty() ? "" : lines.front();
}

Finding tool(const std::string& name, const std::string& version_command, const std::string& consequence) {
  const std::string version = first_line_of(version_command);
  return {name, version.empty() ? "not found" : version, !version.empty(),
          version.empty() ? consequence : ""};
}

Finding blas() {
  const double gflops = cluster::matrix_gflops();
  const std::string library = cluster::blas_library();
  const bool fast = gflops > 10;
  char text[64];
  std::snprintf(text, sizeof text, "%.0f GFLOP/s", gflops);
  return {"BLAS", std::string(text) + (library.empty() ? "" : " from " + library), fast,
          fast ? "" : "slow matrix products: install libopenblas0-pthread"};
}

Finding onednn() {
  const bool there = cluster::torch_has_onednn();
  return {"oneDNN", there ? "yes" : "no", there,
          there ? "" : "convolutions will be slow: use a LibTorch built with it"};
}

Finding bf16() {
  const std::string instructions = cluster::bf16_instructions();
  if (!instructions.empty()) return {"bf16 on this CPU", instructions, true, ""};
  return {"bf16 on this CPU", "emulated", true, "train.precision: fp32 may be faster here"};
}

Finding cuda() {
  const bool there = cluster::torch_has_cuda();
  return {"CUDA", there ? "in this LibTorch" : "not in this LibTorch", true,
          there ? "" : "training runs on the CPU; name a LibTorch with CUDA by CMAKE_PREFIX_PATH"};
}

/// Names come from the driver's own tool, which sees devices that LibTorch may not.
Finding devices() {
  const int usable = cluster::cuda_devices();
  std::string names;
  for (const auto& name : lines_of("nvidia-smi --query-gpu=name,memory.total --format=csv,noheader"))
    names += (names.empty() ? "" : "; ") + name;
  const std::string state = std::to_string(usable) + " usable" + (names.empty() ? "" : ": " + names);
  if (usable == 0 && !names.empty())
    return {"CUDA devices", state, false,
            "this LibTorch cannot use them: name one with CUDA by CMAKE_PREFIX_PATH"};
  return {"CUDA devices", state, true, ""};
}

Finding nccl() {
  const std::string version = cluster::nccl_version();
  if (version.empty())
    return {"NCCL", "not found", true, "not used: ranks exchange tensors through MPI and compute on the CPU"};
  return {"NCCL", version + " on this machine", true,
          "not used by this build: several ranks exchange tensors through MPI and compute on the CPU"};
}

Finding memory() {
  const double total =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  struct statvfs disk {};
  const double free = statvfs(".", &disk) == 0 ? static_cast<double>(disk.f_bavail) *
                                                     static_cast<double>(disk.f_frsize) / (1 << 30)
                                               : 0;
  char text[96];
  std::snprintf(text, sizeof text, "%.0f GiB memory, %.0f GiB free on this disk", total, free);
  return {"room", text, free > 1, free > 1 ? "" : "checkpoints and logit files need space"};
}

Finding data_folder() {
  const char* folder = std::getenv("SMOOTHLAB_DATA");
  if (!folder) return {"SMOOTHLAB_DATA", "not set", true, "recipes of real data name their files by it"};
  const bool there = std::filesystem::is_directory(folder);
  return {"SMOOTHLAB_DATA", folder, there, there ? "" : "no such folder"};
}

std::vector<Finding> examine() {
  std::vector<Finding> all;
  all.push_back({"smoothlab", cluster::code_version(), true, ""});
  all.push_back({"LibTorch", cluster::torch_version(), true, ""});
  all.push_back(onednn());
  all.push_back(blas());
  all.push_back(bf16());
  all.push_back({"CPU cores for this process", std::to_string(cluster::available_cores()), true, ""});
  all.push_back(cuda());
  all.push_back(devices());
  all.push_back(nccl());
  all.push_back({"MPI", cluster::mpi_version(), true, ""});
  all.push_back(tool("mpirun", "mpirun --version", "--ranks needs it: install openmpi-bin"));
  const std::string srun = first_line_of("srun --version");
  all.push_back({"Slurm", srun.empty() ? "not found" : srun, true, ""});
  all.push_back({"HDF5", eval::hdf5_version(), true, ""});
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
