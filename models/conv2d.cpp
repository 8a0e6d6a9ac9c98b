#include "models/conv2d.h"

#include <ATen/ATen.h>

#include "models/narrow_conv.h"
#include "models/trained_conv.h"

namespace smoothlab::models {
namespace {

/// Channels of zeros that an image of one or three gets on a GPU: tensor cores take bf16 channels by eights,
/// and cuDNN has nothing fast for other numbers.
int64_t channels_missing(const at::Tensor& input) {
  constexpr int64_t whole = 8;
  const bool few = input.is_cuda() && input.scalar_type() == at::kBFloat16 && input.size(1) < whole;
  return few ? whole - input.size(1) : 0;
}

at::Tensor more_channels(const at::Tensor& tensor, int64_t more) {
  return more > 0 ? at::constant_pad_nd(tensor, {0, 0, 0, 0, 0, more}) : tensor;
}

}  // namespace

Conv2d::Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
               const Initialiser& weight)
    : shape_(shape),
      weight_(registry.add_parameter(name + ".weight",
                                     {shape.out, shape.in, shape.kernel.height, shape.kernel.width},
                                     Role::weight, weight)) {}

Conv2d::Conv2d(ParameterRegistry& registry, const std::string& name, const Conv2dShape& shape,
               const Initialiser& weight, double bias)
    : Conv2d(registry, name, shape, weight) {
  bias_ = registry.add_parameter(name + ".bias", {shape.out}, Role::bias, Initialiser::constant(bias));
}

at::Tensor Conv2d::operator()(const at::Tensor& input) const {
  // The cast is a no-op where the trainer has put a working copy in place.
  const auto dtype = input.scalar_type();
  const at::Tensor weight = weight_->value.to(dtype);
  const auto [down, across] = shape_.padding;
  if (!bias_ && shape_.stride == 1 && down == 1 && across == 1 && narrow_conv_takes(input, weight))
    return narrow_conv(input, weight);
  if (!bias_ && trained_conv_takes(input, weight)) return trained_conv(input, weight, shape_);
  const int64_t missing = channels_missing(input);
  return at::conv2d(more_channels(input, missing), more_channels(weight, missing),
                    bias_ ? bias_->value.to(dtype) : at::Tensor(), shape_.stride, {down, across});
}

bool Conv2d::pointwise() const {
  const auto [down, across] = shape_.kernel;
  return down == 1 && across == 1 && shape_.stride == 1 && shape_.padding.height == 0 &&
         shape_.padding.width == 0 && !bias_;
}

std::vector<at::Tensor> Conv2d::side_by_side(const std::vector<const Conv2d*>& convs,
                                             const at::Tensor& input) {
  std::vector<at::Tensor> weights;
  std::vector<int64_t> widths;
  Conv2dShape shape = convs.at(0)->shape_;
  shape.out = 0;
  for (const Conv2d* conv : convs) {
    weights.push_back(conv->weight_->value.to(input.scalar_type()));
    widths.push_back(conv->shape_.out);
    shape.out += conv->shape_.out;
  }
  const at::Tensor weight = at::cat(weights);
  return at::split_with_sizes(
      trained_conv_takes(input, weight) ? trained_conv(input, weight, shape) : at::conv2d(input, weight),
      widths, 1);
}

}  // namespace smoothlab::models
