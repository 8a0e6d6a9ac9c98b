#include <torch/csrc/autograd/custom_function.h>

#include "models/gpu_tensors.h"
#include "models/narrow_conv.h"
#include "models/narrow_conv_gpu_kernels.h"

namespace smoothlab::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

NarrowConv shape_of(const at::Tensor& input) {
  return {input.size(0), static_cast<int>(input.size(2)), static_cast<int>(input.size(3)),
          static_cast<int>(input.size(1))};
}

at::Tensor convolved(const at::Tensor& input, const at::Tensor& weight, bool transposed) {
  const at::Tensor output = at::empty_like(input);
  C10_CUDA_CHECK(launch_narrow_conv(shape_of(input), input.data_ptr(), weight.data_ptr(), transposed,
                                    output.data_ptr(), stream_of(input)));
  return output;
}

at::Tensor weight_gradient(const at::Tensor& dy, const at::Tensor& input, const at::Tensor& weight) {
  const NarrowConv shape = shape_of(input);
  const at::Tensor gradient = at::empty_like(weight);
  const at::Tensor parts =
      at::empty({narrow_conv_parts(shape), weight.numel()}, weight.options().dtype(at::kFloat));
  C10_CUDA_CHECK(launch_narrow_conv_weights(shape, input.data_ptr(), dy.data_ptr(), parts.data_ptr<float>(),
                                            gradient.data_ptr(), stream_of(input)));
  return gradient;
}

class NarrowConvolution : public torch::autograd::Function<NarrowConvolution> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight) {
    const c10::cuda::CUDAGuard guard(input.device());
    context->save_for_backward({input, weight});
    if (narrow_conv_ability(shape_of(input)).convolves) return convolved(input, weight, false);
    return at::conv2d(input, weight, {}, 1, 1);
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const c10::cuda::CUDAGuard guard(input.device());
    const NarrowConvAbility ability = narrow_conv_ability(shape_of(input));
    const at::Tensor dy = as_images(output_gradients[0], input);
    const bool for_input = context->needs_input_grad(0), for_weight = context->needs_input_grad(1);
    at::Tensor dx, dw;
    if (for_input && ability.convolves) dx = convolved(dy, weight, true);
    if (for_weight && ability.weights) dw = weight_gradient(dy, input, weight);
    const bool input_left = for_input && !ability.convolves, weight_left = for_weight && !ability.weights;
    if (input_left || weight_left) {
      const auto left = at::convolution_backward(dy, input, weight, at::OptionalIntArrayRef(), {1, 1}, {1, 1},
                                                 {1, 1}, false, {0, 0}, 1, {input_left, weight_left, false});
      if (input_left) dx = std::get<0>(left);
      if (weight_left) dw = std::get<1>(left);
    }
    return {dx, dw};
  }
};

}  // namespace

bool narrow_conv_takes(const at::Tensor& input, const at::Tensor& weight) {
  if (!are_gpu_images(input) || !are_gpu_images(weight)) return false;
  if (input.scalar_type() != at::kBFloat16 || weight.scalar_type() != at::kBFloat16) return false;
  const int64_t channels = input.size(1);
  if (weight.size(0) != channels || weight.size(1) != channels || weight.size(2) != 3 || weight.size(3) != 3)
    return false;
  const c10::cuda::CUDAGuard guard(input.device());
  const NarrowConvAbility ability = narrow_conv_ability(shape_of(input));
  return ability.convolves || ability.weights;
}

at::Tensor narrow_conv(const at::Tensor& input, const at::Tensor& weight) {
  return NarrowConvolution::apply(input, weight);
}

}  // namespace smoothlab::models
