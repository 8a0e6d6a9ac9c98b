#include "models/inception_block.h"

#include <ATen/ATen.h>

#include <cmath>

namespace smoothlab::models {
namespace {

/// Of those pixels of a window that are in the image.
at::Tensor average_pooled(const at::Tensor& input) {
  return at::avg_pool2d(input, {3, 3}, {1, 1}, {1, 1}, false, /*count_include_pad=*/false);
}

}  // namespace

ConvNorm inception_conv(ParameterRegistry& registry, const std::string& block, size_t number, int64_t in,
                        const InceptionConv& shape) {
  const bool same = shape.padding == InceptionConv::Padding::same;
  const Extent padding = same ? Extent(shape.kernel.height / 2, shape.kernel.width / 2) : Extent(0);
  const Conv2dShape conv{in, shape.out, shape.kernel, shape.stride, padding};
  const double deviation = std::sqrt(1.3 * 2 / static_cast<double>(conv.fan_in()));
  return {registry, block, number, conv, Initialiser::truncated_normal(deviation), {0.001, 1 - 0.9997}};
}

InceptionBlock::InceptionBlock(ParameterRegistry& registry, const std::string& name, int64_t in,
                               const std::vector<InceptionBranch>& branches) {
  for (const InceptionBranch& shape : branches) {
    const std::string branch = name + ".branch" + std::to_string(branches_.size());
    std::vector<ConvNorm> convs;
    int64_t width = in, beside = 0;
    for (const InceptionConv& conv : shape.convs) {
      const bool forked = shape.fork && convs.size() + 1 == shape.convs.size();
      if (forked) beside = width;
      const int64_t from = forked ? shape.convs[convs.size() - 2].out : width;
      convs.push_back(inception_conv(registry, branch, convs.size() + 1, from, conv));
      width = conv.out;
    }
    branches_.push_back({shape.pool, std::move(convs), shape.fork});
    channels_ += width + beside;
  }
}

/// By branch; those of 1×1 are computed as one on the CPU, where the input is then read and its gradient
/// written once. Undefined where there is none.
std::vector<at::Tensor> InceptionBlock::first_convolutions(const at::Tensor& input) const {
  std::vector<at::Tensor> outputs(branches_.size());
  std::vector<const Conv2d*> together;
  std::vector<size_t> places;
  for (size_t i = 0; i < branches_.size(); ++i) {
    if (branches_[i].convs.empty()) continue;
    const Conv2d& conv = branches_[i].convs.front().conv();
    if (input.is_cpu() && conv.pointwise()) {
      together.push_back(&conv);
      places.push_back(i);
    } else {
      outputs[i] = conv(input);
    }
  }
  if (together.empty()) return outputs;
  const std::vector<at::Tensor> slices = Conv2d::side_by_side(together, input);
  for (size_t i = 0; i < places.size(); ++i) outputs[places[i]] = slices[i];
  return outputs;
}

at::Tensor InceptionBlock::operator()(const at::Tensor& input, bool training) const {
  const std::vector<at::Tensor> first = first_convolutions(input);
  std::vector<at::Tensor> outputs;
  for (size_t b = 0; b < branches_.size(); ++b) {
    const auto& [pool, convs, fork] = branches_[b];
    if (convs.empty()) {
      outputs.push_back(at::max_pool2d(input, {3, 3}, {2, 2}));
      continue;
    }
    // An average over pixels and a convolution of 1×1 may change places, and there are fewer channels after
    // it.
    const bool averages = pool == InceptionBranch::Pool::average;
    at::Tensor x = convs[0].after_conv(averages ? average_pooled(first[b]) : first[b], training);
    const size_t in_line = convs.size() - (fork ? 2 : 0);
    for (size_t i = 1; i < in_line; ++i) x = convs[i](x, training);
    for (size_t i = in_line; i < convs.size(); ++i) outputs.push_back(convs[i](x, training));
    if (!fork) outputs.push_back(x);
  }
  return at::cat(outputs, 1);
}

}  // namespace smoothlab::models
