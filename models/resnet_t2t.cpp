#include "models/resnet_t2t.h"

#include <ATen/ATen.h>

namespace smoothlab::models {
namespace {

Conv2d convolution(ParameterRegistry& registry, const std::string& name, int64_t in, int64_t out,
                   int64_t kernel, int64_t stride) {
  const Conv2dShape shape{in, out, kernel, stride, kernel / 2};
  return {registry, name, shape,
          Initialiser::truncated_of_variance(1.0 / static_cast<double>(shape.fan_in()))};
}

}  // namespace

ResnetT2t::ResnetT2t(const NetworkOptions& options, int64_t depth) : classes_(options.classes) {
  ParameterRegistry registry(*this, options.seed, options.channels_last);
  int64_t width = 16;
  stem_ = std::make_unique<Conv2d>(convolution(registry, "stem.conv", options.input.channels, width, 3, 1));
  stem_norm_ = std::make_unique<BatchNorm>(registry, "stem.norm", width);
  for (int64_t group = 1; group <= 3; ++group) {
    const int64_t out = int64_t{16} << group;
    for (int64_t block = 0; block < (depth - 2) / 6; ++block) {
      const std::string name = "group" + std::to_string(group) + ".block" + std::to_string(block);
      const int64_t stride = block == 0 && group > 1 ? 2 : 1;
      BatchNorm norm1(registry, name + ".norm1", width);
      std::optional<Projection> projection;
      if (block == 0) {
        Conv2d conv = convolution(registry, name + ".shortcut.conv", width, out, 1, stride);
        projection = Projection{conv, BatchNorm(registry, name + ".shortcut.norm", out)};
      }
      Conv2d conv1 = convolution(registry, name + ".conv1", width, out, 3, stride);
      BatchNorm norm2(registry, name + ".norm2", out);
      Conv2d conv2 = convolution(registry, name + ".conv2", out, out, 3, 1);
      blocks_.push_back({norm1, projection, conv1, norm2, conv2});
      width = out;
    }
  }
  classifier_ = std::make_unique<ClassifierLayer>(
      registry, width, classes_,
      Initialiser::truncated_of_variance(4.0 / static_cast<double>(width + classes_)));
}

Rows ResnetT2t::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  const bool training = context.training;
  at::Tensor x = stem_norm_->relu((*stem_)(inputs.at(0)), training);
  for (const Block& block : blocks_) {
    const at::Tensor active = block.norm1.relu(x, training);
    const at::Tensor hidden = block.conv2(block.norm2.relu(block.conv1(active), training));
    // With a projection the addition rides along with its normalisation.
    x = block.projection ? block.projection->norm.add(block.projection->conv(active), hidden, training)
                         : hidden + x;
  }
  return (*classifier_)(at::mean(x, {2, 3}, false, at::kFloat));
}

}  // namespace smoothlab::models
