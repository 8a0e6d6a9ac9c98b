#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/device.h"
#include "toy_network.h"
#include "trainer/optimizer.h"

namespace smoothlab::trainer {
namespace {

/// Weights after five steps of a layout with several segments, some longer than what one block updates.
at::Tensor five_steps(const OptimizerOptions& options, c10::ScalarType type, c10::Device device) {
  ToyNetwork network;
  const auto values = [](int64_t n, double by) {
    return at::sin(at::arange(n, at::kDouble) * by).to(at::kFloat);
  };
  network.add("a.weight", models::Role::weight, values(5003, 0.3));
  network.add("a.bias", models::Role::bias, values(17, 0.7));
  network.add("b.weight", models::Role::weight, values(2048, 0.11));
  network.add("norm.weight", models::Role::norm_scale, values(40, 0.2), true);
  FlatParameters parameters(network, type, device);
  const auto optimizer = make_optimizer(options, parameters);
  const double factors[] = {1, 1, 0.5, 0.5, 0.1};
  for (int step = 0; step < 5; ++step) {
    const at::Tensor gradients =
        at::cos(at::arange(parameters.layout().total(), at::kDouble) * 0.37 + 2 * step).to(at::kFloat);
    optimizer->step(gradients.to(device), factors[step]);
  }
  if (parameters.working().defined()) {
    EXPECT_TRUE(parameters.working().equal(parameters.master().to(at::kBFloat16))) << "round to nearest even";
  }
  return parameters.master().cpu();
}

TEST(OptimizerGpu, UpdatesAsOnTheCpu) {
  if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  for (const char* name : {"sgd", "smoothed-sgd", "adam", "rmsprop"}) {
    OptimizerOptions options;
    options.name = name;
    options.weight_decay = 0.01;
    options.groups.push_back({"b", 0.25, 0.1});
    for (const bool decoupled : {false, true})
      for (const double momentum : {0.0, 0.9})
        for (const double clip_norm : {0.0, 1.0})
          for (const auto type : {at::kFloat, at::kBFloat16}) {
            options.decoupled = decoupled;
            options.clip_norm = clip_norm;
            if (options.name != "adam") options.momentum = momentum;
            if (options.name == "sgd") options.nesterov = momentum > 0;
            options.epsilon_inside = options.name == "rmsprop" && decoupled;
            const at::Tensor cpu = five_steps(options, type, at::kCPU);
            const at::Tensor gpu = five_steps(options, type, at::Device(at::kCUDA, 0));
            EXPECT_TRUE(at::allclose(cpu, gpu, 1e-5, 1e-6)) << options.name;
          }
  }
}

}  // namespace
}  // namespace smoothlab::trainer
