#include <torch/csrc/autograd/custom_function.h>

#include "models/gpu_tensors.h"
#include "models/gpu_windows.h"
#include "models/window_gpu_kernels.h"

namespace smoothlab::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

GpuResponseNorm kernel_form(const LocalResponseNorm& norm) {
  return {static_cast<int>(norm.depth_radius), static_cast<float>(norm.bias), static_cast<float>(norm.alpha),
          static_cast<float>(norm.beta)};
}

class ResponseNorm : public torch::autograd::Function<ResponseNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const LocalResponseNorm& norm) {
    const at::Tensor output = at::empty_like(input);
    C10_CUDA_CHECK(launch_response_norm(images_of(input), kernel_form(norm), input.data_ptr(),
                                        output.data_ptr(), stream_of(input)));
    context->save_for_backward({input});
    context->saved_data["radius"] = norm.depth_radius;
    context->saved_data["constants"] = std::vector<double>{norm.bias, norm.alpha, norm.beta};
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const at::Tensor input = context->get_saved_variables()[0];
    const std::vector<double> constants = context->saved_data["constants"].toDoubleVector();
    const LocalResponseNorm norm{context->saved_data["radius"].toInt(), constants[0], constants[1],
                                 constants[2]};
    const at::Tensor dy = as_images(output_gradients[0], input), dx = at::empty_like(input);
    C10_CUDA_CHECK(launch_response_norm_gradient(images_of(input), kernel_form(norm), input.data_ptr(),
                                                 dy.data_ptr(), dx.data_ptr(), stream_of(input)));
    return {dx, at::Tensor()};
  }
};

/// TensorFlow's SAME: even sizes need a pixel at the end, which no window begins with; odd ones one on either
/// side.
GpuPool pool_of(at::IntArrayRef input) {
  const int height = static_cast<int>(input[2]), width = static_cast<int>(input[3]);
  return {height % 2, width % 2, (height + 1) / 2, (width + 1) / 2};
}

at::Tensor images_like(const std::vector<int64_t>& sizes, const at::Tensor& like, at::ScalarType type) {
  return at::empty(sizes, like.options().dtype(type).memory_format(at::MemoryFormat::ChannelsLast));
}

class MaxPool : public torch::autograd::Function<MaxPool> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const GpuPool pool = pool_of(input.sizes());
    const std::vector<int64_t> sizes{input.size(0), input.size(1), pool.height, pool.width};
    const at::Tensor output = images_like(sizes, input, input.scalar_type());
    const at::Tensor which = images_like(sizes, input, at::kByte);
    C10_CUDA_CHECK(launch_max_pool(images_of(input), pool, input.data_ptr(), output.data_ptr(),
                                   which.data_ptr<uint8_t>(), stream_of(input)));
    context->save_for_backward({which});
    context->saved_data["sizes"] = input.sizes().vec();
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    const at::Tensor which = context->get_saved_variables()[0];
    const std::vector<int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const at::Tensor dy = as_images(output_gradients[0], output_gradients[0]);
    const at::Tensor dx = images_like(sizes, dy, dy.scalar_type());
    C10_CUDA_CHECK(launch_max_pool_gradient(images_of(dx), pool_of(sizes), which.data_ptr<uint8_t>(),
                                            dy.data_ptr(), dx.data_ptr(), stream_of(dy)));
    return {dx};
  }
};

}  // namespace

bool gpu_windows_take(const at::Tensor& input) {
  return are_gpu_images(input);
}

bool gpu_response_norm_takes(const at::Tensor& input, const LocalResponseNorm& norm) {
  return are_gpu_images(input) && norm.depth_radius <= gpu_greatest_depth_radius;
}

at::Tensor gpu_response_norm(const at::Tensor& input, const LocalResponseNorm& norm) {
  const c10::cuda::CUDAGuard guard(input.device());
  return ResponseNorm::apply(input, norm);
}

at::Tensor gpu_max_pool(const at::Tensor& input) {
  const c10::cuda::CUDAGuard guard(input.device());
  return MaxPool::apply(input);
}

}  // namespace smoothlab::models
