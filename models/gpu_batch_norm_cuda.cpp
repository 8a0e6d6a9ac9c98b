#include <torch/csrc/autograd/custom_function.h>

#include "models/batch_norm_gpu_kernels.h"
#include "models/gpu_batch_norm.h"
#include "models/gpu_tensors.h"

namespace smoothlab::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const void* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr() : nullptr;
}

at::Tensor sums_for(const at::Tensor& input) {
  const GpuImages images = images_of(input);
  return at::empty({gpu_norm_blocks(images), 2, images.channels}, input.options().dtype(at::kFloat));
}

GpuNorm norm_of(const at::Tensor& weight, const at::Tensor& bias, double epsilon, bool relu) {
  return {weight.data_ptr<float>(), bias.data_ptr<float>(), epsilon, relu};
}

/// An empty residual stands for none: a Function takes no undefined tensors.
class TrainedGpuBatchNorm : public torch::autograd::Function<TrainedGpuBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const BatchNormArguments& arguments) {
    const bool added = residual.numel() > 0;
    const at::Tensor output = at::empty_like(input), sums = sums_for(input);
    const at::Tensor saved = at::empty({3, input.size(1)}, weight.options().requires_grad(false));
    const GpuBatchStatistics statistics{arguments.running_mean.data_ptr<float>(),
                                        arguments.running_var.data_ptr<float>(), arguments.momentum,
                                        saved.data_ptr<float>()};
    const cudaStream_t stream = stream_of(input);
    C10_CUDA_CHECK(launch_norm_sums(images_of(input), input.data_ptr(), sums.data_ptr<float>(), stream));
    C10_CUDA_CHECK(launch_normalise(images_of(input),
                                    norm_of(weight, bias, arguments.epsilon, arguments.relu), statistics,
                                    sums.data_ptr<float>(), input.data_ptr(),
                                    added ? residual.data_ptr() : nullptr, output.data_ptr(), stream));
    // Without a residual the input tells where the output is positive.
    const at::Tensor mask = arguments.relu && added ? output : at::Tensor();
    context->save_for_backward({input, mask, weight, bias, saved});
    context->saved_data["epsilon"] = arguments.epsilon;
    context->saved_data["relu"] = arguments.relu;
    context->saved_data["residual"] = added;
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const variable_list kept = context->get_saved_variables();
    const at::Tensor &input = kept[0], &mask = kept[1], &weight = kept[2], &bias = kept[3];
    const bool relu = context->saved_data["relu"].toBool(), added = context->saved_data["residual"].toBool();
    const at::Tensor dy = as_images(output_gradients[0], input);
    const at::Tensor d_input = at::empty_like(input), sums = sums_for(input);
    const at::Tensor d_weight = at::empty_like(weight), d_bias = at::empty_like(bias);
    // Without a relu the residual's gradient is the output's.
    const at::Tensor d_residual = added && relu ? at::empty_like(input) : added ? dy : at::Tensor();
    const GpuNorm norm = norm_of(weight, bias, context->saved_data["epsilon"].toDouble(), relu);
    const GpuNormGradient gradient{input.data_ptr(), data_or_null(mask), dy.data_ptr(),
                                   kept[4].data_ptr<float>()};
    const cudaStream_t stream = stream_of(input);
    C10_CUDA_CHECK(
        launch_norm_gradient_sums(images_of(input), norm, gradient, sums.data_ptr<float>(), stream));
    C10_CUDA_CHECK(launch_norm_gradient(images_of(input), norm, gradient, sums.data_ptr<float>(),
                                        d_input.data_ptr(), added && relu ? d_residual.data_ptr() : nullptr,
                                        d_weight.data_ptr<float>(), d_bias.data_ptr<float>(), stream));
    return {d_input, d_residual, d_weight, d_bias, at::Tensor()};
  }
};

}  // namespace

bool gpu_batch_norm_takes(const at::Tensor& input) {
  return are_gpu_images(input);
}

at::Tensor gpu_batch_norm(const at::Tensor& input, const at::Tensor& residual,
                          const BatchNormArguments& arguments) {
  const c10::cuda::CUDAGuard guard(input.device());
  const at::Tensor added = residual.defined() ? as_images(residual, input) : at::Tensor();
  if (arguments.training)
    return TrainedGpuBatchNorm::apply(input, added.defined() ? added : at::empty({0}, input.options()),
                                      arguments.weight, arguments.bias, arguments);
  const at::Tensor output = at::empty_like(input);
  C10_CUDA_CHECK(launch_normalise_running(
      images_of(input), norm_of(arguments.weight, arguments.bias, arguments.epsilon, arguments.relu),
      arguments.running_mean.data_ptr<float>(), arguments.running_var.data_ptr<float>(), input.data_ptr(),
      data_or_null(added), output.data_ptr(), stream_of(input)));
  return output;
}

}  // namespace smoothlab::models
