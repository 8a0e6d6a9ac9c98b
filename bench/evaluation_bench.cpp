// What it costs to stream logits and penultimate activations while evaluating: the same pass with and
// without, alternated; medians of the rounds' ratios, and the middle half of them. On a machine that is busy
// with other work look at the CPU time. Two cases: ResNet-56 with ten classes, and a network that is cheap
// for what it gives, 1000 classes from 1024 activations, 8 KiB a row. Usage: evaluation_bench [rounds]
// [fp32|bf16] [rows] [folder]; also under mpirun.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "cluster/device.h"
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

struct Case {
  models::NetworkOptions network;
  int64_t rows;
};

std::vector<Case> cases(int64_t rows) {
  Case narrow{{}, rows}, wide{{}, 4 * rows};
  narrow.network.name = "resnet56";
  narrow.network.channels_last = true;
  wide.network.name = "mlp";
  wide.network.hidden = {1024, 1024};
  wide.network.classes = 1000;  // labels are below ten all the same
  return {narrow, wide};
}

/// Ratios from fast to slow.
std::string spread(std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  char text[80];
  std::snprintf(text, sizeof text, "%.3f (middle half %.3f to %.3f)", median(ratios),
                ratios[ratios.size() / 4], ratios[ratios.size() - 1 - ratios.size() / 4]);
  return text;
}

int measure(const bench::Arguments& arguments) {
  const int rounds = std::stoi(arguments.at(0, "21"));
  const bool bf16 = arguments.at(1, "bf16") == "bf16";
  const std::string folder = arguments.at(3, "/tmp") + "/evaluation-bench";

  const auto communicator = cluster::make_communicator();
  const auto placement = cluster::place_rank(*communicator, "cpu");
  cluster::apply(placement);
  cluster::Log log(communicator->rank(), true);
  const auto files = cluster::local_file_system();
  for (const Case& what : cases(std::stoll(arguments.at(2, "2000")))) {
    data::TaskOptions task;
    task.data = "generated";
    task.train_samples = 100;
    task.test_samples = what.rows;
    const auto network = models::make_network(what.network);
    const auto dataset = data::open_task(task, 1).test;
    eval::EvaluationOptions plain;
    plain.channels_last = what.network.channels_last;
    plain.bf16 = bf16;
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
    run(streaming);
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
    if (communicator->is_root())
      std::printf(
          "%s, %s, %lld x %lld logits, %lld activations, ranks %d, %d rounds: without %.3f s, streaming %.3f "
          "s\n  ratio %s, wanted: 1.03 or less; of CPU time %s\n",
          what.network.name.c_str(), bf16 ? "bf16" : "fp32", static_cast<long long>(what.rows),
          static_cast<long long>(what.network.classes), static_cast<long long>(network->penultimate_size()),
          communicator->size(), rounds, median(without), median(with), spread(wall_ratios).c_str(),
          spread(cpu_ratios).c_str());
    std::fflush(stdout);
  }
  communicator->barrier();
  if (communicator->is_root()) files->remove_all(folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
