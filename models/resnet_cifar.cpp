#include "models/resnet_cifar.h"

#include <ATen/ATen.h>

namespace smoothlab::models {
namespace {

Conv2d conv3x3(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out,
               int64_t stride) {
  const Conv2dShape shape{in, out, 3, stride, 1};
  return {registry, name, shape, Initialiser::he_normal(shape.fan_in())};
}

/// Option A: every second pixel, and as many channels of zeros on either side.
at::Tensor shrunk(const at::Tensor& input) {
  const int64_t zeros = input.size(1) / 2;
  return at::constant_pad_nd(input.slice(2, 0, input.size(2), 2).slice(3, 0, input.size(3), 2),
                             {0, 0, 0, 0, zeros, zeros});
}

}  // namespace

ResnetCifar::ResnetCifar(const NetworkOptions& options, int64_t depth) : classes_(options.classes) {
  ParameterRegistry registry(*this, options.seed, options.channels_last);
  int64_t width = 16;
  stem_ = std::make_unique<Conv2d>(conv3x3(registry, "stem.conv", options.input.channels, width, 1));
  stem_norm_ = std::make_unique<BatchNorm>(registry, "stem.norm", width);
  for (int64_t group = 1; group <= 3; ++group) {
    const int64_t out = int64_t{8} << group;
    for (int64_t block = 0; block < (depth - 2) / 6; ++block) {
      const std::string name = "group" + std::to_string(group) + ".block" + std::to_string(block);
      const bool shrinks = out != width;
      Conv2d conv1 = conv3x3(registry, name + ".conv1", width, out, shrinks ? 2 : 1);
      BatchNorm norm1(registry, name + ".norm1", out);
      Conv2d conv2 = conv3x3(registry, name + ".conv2", out, out, 1);
      BatchNorm norm2(registry, name + ".norm2", out);
      blocks_.push_back({conv1, norm1, conv2, norm2, shrinks});
      width = out;
    }
  }
  classifier_ =
      std::make_unique<ClassifierLayer>(registry, width, classes_, Initialiser::lecun_normal(width));
}

Rows ResnetCifar::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  at::Tensor x = stem_norm_->relu((*stem_)(inputs.at(0)), context.training);
  for (const Block& block : blocks_) {
    const at::Tensor hidden = block.norm1.relu(block.conv1(x), context.training);
    x = block.norm2.add_relu(block.conv2(hidden), block.shrinks ? shrunk(x) : x, context.training);
  }
  return (*classifier_)(at::mean(x, {2, 3}, false, at::kFloat));
}

}  // namespace smoothlab::models
