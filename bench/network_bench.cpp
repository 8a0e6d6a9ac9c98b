// Images a second of forward and backward passes on one thread, by the clock and by processor time (which a
// busy machine distorts less): network_bench [seconds a case] [name...].

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "cluster/device.h"
#include "models/network.h"

namespace {

using namespace smoothlab;
using Clock = std::chrono::steady_clock;

struct Case {
  std::string network;
  models::ImageShape input;
  int64_t classes;
};

/// What a trainer does in a bf16 run: float32 leaves, bf16 copies for the layers that may use them.
void forward_backward(models::Network& network, const std::vector<at::Tensor>& inputs,
                      const at::Tensor& labels, const models::ForwardContext& context) {
  const models::Rows rows = network.forward(inputs, context);
  const at::Tensor loss = at::cross_entropy_loss(rows.logits, labels);
  torch::autograd::backward({loss}, {});
  for (models::Parameter& parameter : network.parameters()) parameter.value.mutable_grad().reset();
}

void measure(const Case& what, bool bf16, double seconds) {
  constexpr int64_t kBatch = 64;
  models::NetworkOptions options;
  options.name = what.network;
  options.input = what.input;
  options.classes = what.classes;
  options.channels_last = true;
  const auto network = models::make_network(options);
  at::Tensor images = at::randn({kBatch, what.input.channels, what.input.height, what.input.width})
                          .contiguous(at::MemoryFormat::ChannelsLast);
  if (bf16) {
    images = images.to(at::kBFloat16);
    for (models::Parameter& parameter : network->parameters()) {
      if (parameter.keep_float32) continue;
      parameter.value = parameter.value.detach().to(at::kBFloat16).set_requires_grad(true);
    }
  }
  const at::Tensor labels = at::randint(what.classes, {kBatch}, at::kLong);
  models::ForwardContext context;
  context.training = true;
  context.sample_ids = at::arange(kBatch, at::kLong);

  forward_backward(*network, {images}, labels, context);
  std::vector<double> times;
  const std::clock_t processor_begin = std::clock();
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end || times.size() < 3) {
    const auto begin = Clock::now();
    forward_backward(*network, {images}, labels, context);
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  const double processor = static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
  std::sort(times.begin(), times.end());
  const auto rate = [&](double time) { return static_cast<double>(kBatch) / time; };
  std::printf("%-16s %s  median %7.1f  best %7.1f  processor %7.1f images/s  (%zu steps of %ld)\n",
              what.network.c_str(), bf16 ? "bf16" : "fp32", rate(times[times.size() / 2]), rate(times[0]),
              rate(processor / static_cast<double>(times.size())), times.size(), static_cast<long>(kBatch));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  smoothlab::cluster::Placement placement;
  placement.threads = 1;
  smoothlab::cluster::apply(placement);  // the allocator as in a run
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const std::vector<std::string> wanted(argv + std::min(argc, 2), argv + argc);
  const std::vector<Case> cases = {{"mlp", {1, 28, 28}, 10},
                                   {"alexnet_tutorial", {3, 24, 24}, 10},
                                   {"resnet56", {3, 32, 32}, 100},
                                   {"resnet56_t2t", {3, 32, 32}, 100}};
  for (const Case& what : cases) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), what.network) == wanted.end()) continue;
    for (const bool bf16 : {false, true}) measure(what, bf16, seconds);
  }
}
