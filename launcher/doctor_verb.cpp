#include <fmt/format.h>
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
#include "cluster/gpu.h"
#include "cluster/machine_probe.h"
#include "data/piece_library.h"
#include "eval/hdf5_version.h"
#include "launcher/options.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

/// absent: not here, and only some would miss it. missing: what the verbs count on is not here, or too slow.
enum class State { present, absent, missing };

struct Finding {
  std::string item;
  State state = State::present;
  std::string found;        ///< version, name or figure
  std::string needed_for;   ///< what uses it
  std::string advice = {};  ///< what to do, or what happens without it
};

const char* name_of(State state) {
  switch (state) {
    case State::present:
      return "present";
    case State::absent:
      return "absent";
    default:
      return "missing";
  }
}

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

Finding tool(const std::string& name, State without, const std::string& needed_for,
             const std::string& advice) {
  const std::string version = first_line_of(name + " --version");
  if (version.empty()) return {name, without, "not found", needed_for, advice};
  return {name, State::present, version, needed_for};
}

Finding blas() {
  const double gflops = cluster::matrix_gflops();
  const std::string library = cluster::blas_library();
  const std::string found =
      fmt::format("{:.0f} GFLOP/s{}", gflops, library.empty() ? "" : " from " + library);
  if (gflops > 10) return {"BLAS", State::present, found, "matrix products on the CPU"};
  return {"BLAS", State::missing, found, "matrix products on the CPU",
          "a fast one: install libopenblas0-pthread"};
}

Finding onednn() {
  if (cluster::torch_has_onednn()) return {"oneDNN", State::present, "in this LibTorch", "fast convolutions"};
  return {"oneDNN", State::missing, "not in this LibTorch", "fast convolutions",
          "use a LibTorch built with it"};
}

Finding bf16() {
  const std::string instructions = cluster::bf16_instructions();
  const std::string use = "train.precision: bf16 at full speed";
  if (!instructions.empty()) return {"bf16 on this CPU", State::present, instructions, use};
  return {"bf16 on this CPU", State::absent, "emulated", use, "fp32 may be faster here"};
}

Finding cuda() {
  const std::string use = "training on GPUs";
  if (cluster::torch_has_cuda()) return {"CUDA", State::present, "in this LibTorch", use};
  return {"CUDA", State::absent, "not in this LibTorch", use,
          "ranks compute on the CPU; name a LibTorch with CUDA by CMAKE_PREFIX_PATH"};
}

/// Names come from the driver's own tool, which sees devices that LibTorch may not.
Finding devices() {
  const int usable = cluster::cuda_devices();
  std::string names;
  for (const auto& name : lines_of("nvidia-smi --query-gpu=name,memory.total --format=csv,noheader"))
    names += (names.empty() ? "" : "; ") + name;
  const std::string found = std::to_string(usable) + " usable" + (names.empty() ? "" : ": " + names);
  const std::string use = "training on GPUs";
  if (usable > 0) return {"CUDA devices", State::present, found, use};
  const std::string why = cluster::torch_has_cuda() ? cluster::gpu_trouble() + ": " : "";
  if (names.empty()) return {"CUDA devices", State::absent, found, use, why + "ranks compute on the CPU"};
  return {"CUDA devices", State::missing, found, use,
          why.empty() ? "this LibTorch cannot use them: name one with CUDA by CMAKE_PREFIX_PATH"
                      : why + "they cannot be used"};
}

Finding nccl() {
  const std::string version = cluster::nccl_version();
  const std::string use = "reducing gradients between GPUs";
  const std::string instead =
      cluster::built_with_nccl() ? "" : "not used by this build: ranks exchange tensors through MPI";
  if (version.empty()) return {"NCCL", State::absent, "not found", use, instead};
  return {"NCCL", State::present, version, use, instead};
}

Finding sentencepiece() {
  const std::string use = "vocabularies and text";
  const std::string version = data::sentencepiece_version();
  if (!version.empty()) return {"SentencePiece", State::present, version, use};
  return {"SentencePiece", State::absent, "not in this build", use,
          "install libsentencepiece-dev and build again"};
}

Finding room() {
  const double total =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  struct statvfs disk {};
  const double free = statvfs(".", &disk) == 0 ? static_cast<double>(disk.f_bavail) *
                                                     static_cast<double>(disk.f_frsize) / (1 << 30)
                                               : 0;
  const std::string found = fmt::format("{:.0f} GiB memory, {:.0f} GiB free on this disk", total, free);
  if (free > 1) return {"room", State::present, found, "checkpoints and logit files"};
  return {"room", State::missing, found, "checkpoints and logit files", "free space, or work elsewhere"};
}

Finding data_folder() {
  const char* folder = std::getenv("SMOOTHLAB_DATA");
  const std::string use = "recipes of real data, which name their files by it";
  if (!folder || !*folder)
    return {"SMOOTHLAB_DATA", State::absent, "not set", use, "export it where they are used"};
  if (std::filesystem::is_directory(folder)) return {"SMOOTHLAB_DATA", State::present, folder, use};
  return {"SMOOTHLAB_DATA", State::missing, folder, use, "no such folder: make it, or name another"};
}

std::vector<Finding> examine() {
  return {
      {"smoothlab", State::present, cluster::code_version(), "everything"},
      {"LibTorch", State::present, cluster::torch_version(), "networks"},
      onednn(),
      blas(),
      bf16(),
      {"CPU cores for this process", State::present, std::to_string(cluster::available_cores()),
       "ranks and their threads"},
      cuda(),
      devices(),
      nccl(),
      {"MPI", State::present, cluster::mpi_version(), "several ranks"},
      tool("mpirun", State::missing, "--ranks N", "install openmpi-bin"),
      tool("srun", State::absent, "jobs on a Slurm cluster", "not needed on a workstation"),
      {"HDF5", State::present, eval::hdf5_version(), "logit files"},
      sentencepiece(),
      tool("gnuplot", State::missing, "figures and pages", "install gnuplot-nox"),
      room(),
      data_folder(),
  };
}

void print(const Finding& finding) {
  const std::string mark = finding.state == State::present  ? "ok"
                           : finding.state == State::absent ? "-"
                                                            : "LACK";
  std::cout << fmt::format("  {:<5}{:<28}{}  (for {}{})\n", mark, finding.item, finding.found,
                           finding.needed_for, finding.advice.empty() ? "" : "; " + finding.advice);
}

}  // namespace

int doctor_verb(const std::vector<std::string>& arguments) {
  Options options(
      "doctor [--json]",
      "Says what this build and machine have, and what is missing for what.\n"
      "ok: present. -: absent, which only some would miss. LACK: missing, and the verbs count on it.");
  options.flag("json", "print one JSON object");
  if (!options.parse(arguments, 0, 0)) return 0;
  const auto findings = examine();
  if (!options.has("json")) {
    for (const auto& finding : findings) print(finding);
    return 0;
  }
  nlohmann::ordered_json json;
  for (const auto& finding : findings)
    json[finding.item] = {{"state", name_of(finding.state)},
                          {"found", finding.found},
                          {"needed_for", finding.needed_for},
                          {"advice", finding.advice}};
  std::cout << json.dump(2) << '\n';
  return 0;
}

}  // namespace smoothlab::launcher
