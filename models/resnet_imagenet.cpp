#include "models/resnet_imagenet.h"

#include <ATen/ATen.h>

#include <cmath>

namespace smoothlab::models {
namespace {

/// N(0, 2/fan_out): He et al. 2015 for the way back.
Initialiser start_of(const Conv2dShape& shape) {
  return Initialiser::he_normal(shape.out * shape.kernel.height * shape.kernel.width);
}

ConvNorm conv_norm(ParameterRegistry& registry, const std::string& block, size_t number,
                   const Conv2dShape& shape) {
  return {registry, block, number, shape, start_of(shape), {}};
}

}  // namespace

ResnetImagenet::ResnetImagenet(const NetworkOptions& options) : classes_(options.classes) {
  ParameterRegistry registry(*this, options.seed, options.channels_last);
  int64_t width = 64;
  stem_ = std::make_unique<ConvNorm>(
      conv_norm(registry, "stem", 1, Conv2dShape{options.input.channels, width, 7, 2, 3}));
  int64_t group = 0;
  for (const int64_t blocks : {3, 4, 6, 3}) {
    const int64_t narrow = int64_t{64} << group, out = 4 * narrow;
    ++group;
    for (int64_t block = 0; block < blocks; ++block) {
      const std::string name = "group" + std::to_string(group) + ".block" + std::to_string(block);
      const int64_t stride = block == 0 && group > 1 ? 2 : 1;
      ConvNorm reduce = conv_norm(registry, name, 1, {width, narrow, 1});
      ConvNorm middle = conv_norm(registry, name, 2, {narrow, narrow, 3, stride, 1});
      const Conv2dShape last{narrow, out, 1}, across{width, out, 1, stride};
      Conv2d expand(registry, name + ".conv3", last, start_of(last));
      BatchNorm norm(registry, name + ".norm3", out);
      std::optional<Projection> projection;
      if (block == 0) {
        Conv2d conv(registry, name + ".shortcut.conv", across, start_of(across));
        projection = Projection{conv, BatchNorm(registry, name + ".shortcut.norm", out)};
      }
      blocks_.push_back({reduce, middle, expand, norm, projection});
      width = out;
    }
  }
  classifier_ = std::make_unique<ClassifierLayer>(
      registry, width, classes_, Initialiser::uniform(1 / std::sqrt(static_cast<double>(width))));
}

Rows ResnetImagenet::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  const bool training = context.training;
  at::Tensor x = at::max_pool2d((*stem_)(inputs.at(0), training), {3, 3}, {2, 2}, {1, 1});
  for (const Block& block : blocks_) {
    const at::Tensor hidden = block.expand(block.middle(block.reduce(x, training), training));
    if (block.projection) x = block.projection->norm(block.projection->conv(x), training);
    x = block.norm.add_relu(hidden, x, training);
  }
  return (*classifier_)(at::mean(x, {2, 3}, false, at::kFloat));
}

}  // namespace smoothlab::models
