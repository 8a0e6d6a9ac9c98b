#include "models/trained_conv.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "models/conv_weight_gradient.h"
#include "models/kernel_types.h"

namespace smoothlab::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class TrainedConv : public torch::autograd::Function<TrainedConv> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const Conv2dShape& shape) {
    context->save_for_backward({input, weight});
    context->saved_data["shape"] = Carried<Conv2dShape>::wrap(shape);
    context->saved_data["input_too"] = input.requires_grad();
    return at::conv2d(input, weight, {}, shape.stride, {shape.padding.height, shape.padding.width});
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto shape = Carried<Conv2dShape>::unwrap(context->saved_data["shape"]);
    const at::Tensor dy = output_gradients[0].to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor input_gradient;
    if (context->saved_data["input_too"].toBool())
      input_gradient = std::get<0>(at::convolution_backward(
          dy, saved[0], saved[1], at::OptionalIntArrayRef{}, {shape.stride, shape.stride},
          {shape.padding.height, shape.padding.width}, {1, 1}, false, {0, 0}, 1, {true, false, false}));
    return {input_gradient, conv_weight_gradient(saved[0], dy, shape), at::Tensor()};
  }
};

}  // namespace

bool trained_conv_takes(const at::Tensor& input, const at::Tensor& weight) {
  return c10::GradMode::is_enabled() && weight.requires_grad() && weight.scalar_type() == at::kBFloat16 &&
         conv_weight_gradient_takes(input, weight.size(0));
}

at::Tensor trained_conv(const at::Tensor& input, const at::Tensor& weight, const Conv2dShape& shape) {
  return TrainedConv::apply(input, weight, shape);
}

}  // namespace smoothlab::models
