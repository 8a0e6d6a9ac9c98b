#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "cluster/device.h"
#include "models/network.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

/// Logits, and the gradient of a sum of them by parameter.
std::vector<at::Tensor> trained_once(const std::string& name, c10::Device device, at::ScalarType type) {
  NetworkOptions options;
  options.name = name;
  options.channels_last = true;
  if (name == "alexnet_tutorial") options.input.height = options.input.width = 24;
  const auto network = make_network(options);
  for (auto& parameter : network->parameters())
    parameter.value = parameter.value.detach()
                          .to(device, parameter.keep_float32 ? at::kFloat : type)
                          .set_requires_grad(true);
  for (auto& buffer : network->buffers()) buffer.value = buffer.value.to(device);
  const at::Tensor images = test::hashed_values({16, 3, options.input.height, options.input.width}, 1, 1)
                                .to(device, type)
                                .contiguous(at::MemoryFormat::ChannelsLast);
  ForwardContext context;
  context.training = true;
  const at::Tensor logits = network->forward({images}, context).logits;
  torch::autograd::backward({(logits * test::hashed_values({16, 10}, 2, 1).to(device)).sum()}, {});
  std::vector<at::Tensor> results{logits.detach().cpu()};
  for (const auto& parameter : network->parameters())
    results.push_back(parameter.value.grad().cpu().to(at::kFloat));
  return results;
}

class ImageNetworksGpu : public testing::TestWithParam<const char*> {};

/// Cosine of the angle between what two devices found: 0 for numbers that have nothing to do with each other.
double agreement(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble).flatten(), y = b.to(at::kDouble).flatten();
  return at::dot(x, y).item<double>() / (x.norm() * y.norm()).item<double>();
}

// bf16 goes astray through 56 layers, on either device by about as much.
TEST_P(ImageNetworksGpu, TrainAsOnTheCpu) {
  if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  const auto solo = cluster::make_solo_communicator();
  const cluster::Placement placement = cluster::place_rank(*solo, "cuda");
  cluster::apply(placement);  // float32 is float32, and not TF32
  const c10::Device gpu = placement.device;
  const auto expected = trained_once(GetParam(), at::kCPU, at::kFloat);
  const auto on_gpu = trained_once(GetParam(), gpu, at::kFloat);
  const auto rounded = trained_once(GetParam(), at::kCPU, at::kBFloat16);
  const auto rounded_on_gpu = trained_once(GetParam(), gpu, at::kBFloat16);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LT(test::relative_difference(on_gpu[i], expected[i]), 2e-3) << i;
    const double usual = agreement(rounded[i], expected[i]);
    EXPECT_GT(agreement(rounded_on_gpu[i], expected[i]), usual - 0.5 * (1 - usual) - 0.01) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, ImageNetworksGpu, testing::Values("alexnet_tutorial", "resnet56", "resnet56_t2t"));

}  // namespace
}  // namespace smoothlab::models
