#include "models/alexnet_tutorial.h"

#include <ATen/ATen.h>

#include "models/local_response_norm.h"
#include "models/max_pool.h"

namespace smoothlab::models {
namespace {

constexpr LocalResponseNorm kNorm{4, 1.0, 0.001 / 9.0, 0.75};

int64_t quarter(int64_t size) {
  return (size + 3) / 4;
}  // two halvings, each rounded up

}  // namespace

AlexnetTutorial::AlexnetTutorial(const NetworkOptions& options) : classes_(options.classes) {
  ParameterRegistry registry(*this, options.seed, options.channels_last);
  const auto convolution = Initialiser::truncated_normal(5e-2);
  const auto dense = Initialiser::truncated_normal(0.04);
  const int64_t flat = 64 * quarter(options.input.height) * quarter(options.input.width);
  conv1_ = std::make_unique<Conv2d>(registry, "conv1", Conv2dShape{options.input.channels, 64, 5, 1, 2},
                                    convolution, 0.0);
  conv2_ = std::make_unique<Conv2d>(registry, "conv2", Conv2dShape{64, 64, 5, 1, 2}, convolution, 0.1);
  dense1_ = std::make_unique<Linear>(registry, "dense1", flat, 384, dense, 0.1);
  dense2_ = std::make_unique<Linear>(registry, "dense2", 384, 192, dense, 0.1);
  classifier_ =
      std::make_unique<ClassifierLayer>(registry, 192, classes_, Initialiser::truncated_normal(1 / 192.0));
}

Rows AlexnetTutorial::forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) {
  at::Tensor x = at::relu((*conv1_)(inputs.at(0)));
  x = kNorm(max_pool_3x3_same(x));
  x = kNorm(at::relu((*conv2_)(x)));
  x = max_pool_3x3_same(x);
  // Height, width, channel, as in the tutorial.
  x = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1});
  x = at::relu((*dense1_)(x));
  return (*classifier_)(at::relu((*dense2_)(x)));
}

}  // namespace smoothlab::models
