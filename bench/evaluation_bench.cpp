// What it costs to stream logits and penultimate activations while evaluating: the same pass with and
// without, alternated. On a machine that is busy with other work look at the CPU time.
// Usage: evaluation_bench [network] [rows] [rounds] [fp32|bf16] [folder]; also under mpirun.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/task.h"
#include "eval/evaluation_pass.h"

namespace {

using namespace smoothlab;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds.
struct Cost {
  double wall = 0, cpu = 0;
};

int measure(const std::vector<std::string>& arguments) {
  const auto argument = [&](size_t i, const char* otherwise) {
    return i < arguments.size() ? arguments[i] : std::string(otherwise);
  };
  models::NetworkOptions how;
  how.name = argument(0, "resnet56");
  how.channels_last = true;
  data::TaskOptions task;
  task.data = "generated";
  task.train_samples = 100;
  task.test_samples = std::stoll(argument(1, "2000"));
  const int rounds = std::stoi(argument(2, "7"));
  const std::string folder = argument(4, "/tmp") + "/evaluation-bench";

  const auto communicator = cluster::make_communicator();
  const auto placement = cluster::place_rank(*communicator, "cpu");
  cluster::apply(placement);
  cluster::Log log(communicator->rank(), true);
  const auto network = models::make_network(how);
  const auto dataset = data::open_task(task, 1).test;
  const auto files = cluster::local_file_system();
  eval::EvaluationOptions plain;
  plain.channels_last = true;
  plain.bf16 = argument(3, "bf16") == "bf16";
  eval::EvaluationOptions streaming = plain;
  streaming.logits = folder + "/test.h5";

  const auto run = [&](const eval::EvaluationOptions& options) {
    communicator->barrier();
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    eval::evaluate(*network, dataset, *communicator, placement, options, log);
    return Cost{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
  };
  run(plain);
  std::vector<double> without, with, wall_ratios, cpu_ratios;
  for (int round = 0; round < rounds; ++round) {
    const bool plain_first = round % 2 == 0;
    const Cost first = run(plain_first ? plain : streaming), second = run(plain_first ? streaming : plain);
    const Cost& base = plain_first ? first : second;
    const Cost& more = plain_first ? second : first;
    without.push_back(base.wall);
    with.push_back(more.wall);
    wall_ratios.push_back(more.wall / base.wall);
    cpu_ratios.push_back(more.cpu / base.cpu);
  }
  if (communicator->is_root()) {
    std::printf(
        "%s, %s, %lld rows, ranks %d: without %.3f s, streaming %.3f s, ratio %.3f (wanted: 1.03 or less), "
        "of CPU time %.3f\n",
        how.name.c_str(), plain.bf16 ? "bf16" : "fp32", static_cast<long long>(task.test_samples),
        communicator->size(), median(without), median(with), median(wall_ratios), median(cpu_ratios));
    files->remove_all(folder);
  }
  return 0;
}

}  // namespace

int main(int count, char** values) {
  try {
    return measure({values + 1, values + count});
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
