#include "models/inception_block.h"

#include <ATen/ATen.h>

#include <cmath>

namespace smoothlab::models {
namespace {

at::Tensor pooled(const at::Tensor& input, InceptionBranch::Pool pool) {
  switch (pool) {
    case InceptionBranch::Pool::average:
      return at::avg_pool2d(input, {3, 3}, {1, 1}, {1, 1}, false, /*count_include_pad=*/false);
    case InceptionBranch::Pool::maximum:
      return at::max_pool2d(input, {3, 3}, {2, 2});
    default:
      return input;
  }
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

at::Tensor InceptionBlock::operator()(const at::Tensor& input, bool training) const {
  std::vector<at::Tensor> outputs;
  for (const Branch& branch : branches_) {
    const size_t in_line = branch.convs.size() - (branch.fork ? 2 : 0);
    at::Tensor x = pooled(input, branch.pool);
    for (size_t i = 0; i < in_line; ++i) x = branch.convs[i](x, training);
    for (size_t i = in_line; i < branch.convs.size(); ++i) outputs.push_back(branch.convs[i](x, training));
    if (!branch.fork) outputs.push_back(x);
  }
  return at::cat(outputs, 1);
}

}  // namespace smoothlab::models
