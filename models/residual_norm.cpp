#include "models/residual_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "cluster/side_stream.h"
#include "models/kernel_types.h"
#include "models/residual_norm_kernels.h"

namespace smoothlab::models {
namespace {

namespace kernels = residual_norm_kernels;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows whose gradients of weight and bias are summed together: fixed, so that sums do not depend on threads.
constexpr int64_t kChunk = 64;

/// Without a branch it has one of one dimension: a Function takes no undefined tensors.
class FusedResidualNorm : public torch::autograd::Function<FusedResidualNorm> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& stream_in,
                               const at::Tensor& branch_in, const at::Tensor& weight, const at::Tensor& bias,
                               double epsilon, at::ScalarType type, const RowDropout& dropout) {
    const at::Tensor stream = stream_in.contiguous(),
                     branch = branch_in.dim() == 2 ? branch_in.contiguous() : at::Tensor();
    const int64_t rows = stream.size(0), width = stream.size(1);
    // Without a branch the sum is the stream itself.
    const at::Tensor sum = branch.defined() ? at::empty_like(stream) : stream;
    const at::Tensor normalised = at::empty(stream.sizes(), stream.options().dtype(type));
    const at::Tensor statistics = at::empty({rows, 2}, stream.options());
    const float *w = weight.data_ptr<float>(), *b = bias.data_ptr<float>();
    with_type(branch.defined() ? branch.scalar_type() : at::kFloat, [&](auto* branch_type) {
      using B = std::remove_pointer_t<decltype(branch_type)>;
      const B* from = branch.defined() ? branch.data_ptr<B>() : nullptr;
      with_type(type, [&](auto* out_type) {
        using T = std::remove_pointer_t<decltype(out_type)>;
        at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
          std::vector<float> factors(static_cast<size_t>(width), 1.0F);
          for (int64_t row = begin; row < end; ++row) {
            float* s = sum.data_ptr<float>() + row * width;
            float* stat = statistics.data_ptr<float>() + 2 * row;
            if (from) {
              if (dropout.active()) dropout.mask(row, width, factors.data());
              kernels::add(stream.data_ptr<float>() + row * width, from + row * width, factors.data(), width,
                           s);
            }
            kernels::statistics(s, width, static_cast<float>(epsilon), stat[0], stat[1]);
            kernels::normalise(s, width, stat[0], stat[1], w, b, normalised.data_ptr<T>() + row * width);
          }
        });
      });
    });
    context->save_for_backward({sum, statistics, weight});
    context->saved_data["dropout"] = Carried<RowDropout>::wrap(dropout);
    context->saved_data["branch"] =
        branch.defined() ? static_cast<int64_t>(branch.scalar_type()) : int64_t{-1};
    if (!branch.defined()) return {normalised};
    return {sum, normalised};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &sum = saved[0], &statistics = saved[1], &weight = saved[2];
    const auto dropout = Carried<RowDropout>::unwrap(context->saved_data["dropout"]);
    const int64_t branch_type = context->saved_data["branch"].toInt();
    const at::Tensor of_sum = branch_type >= 0 ? gradients[0] : at::Tensor();
    const at::Tensor of_normalised =
        gradients.back().defined() ? gradients.back().contiguous() : at::Tensor();
    const int64_t rows = sum.size(0), width = sum.size(1), chunks = (rows + kChunk - 1) / kChunk;
    const at::Tensor d_stream =
        of_sum.defined() ? of_sum.clone(at::MemoryFormat::Contiguous) : at::zeros_like(sum);
    const at::Tensor d_branch =
        branch_type >= 0
            ? at::empty(sum.sizes(), sum.options().dtype(static_cast<at::ScalarType>(branch_type)))
            : at::Tensor();
    const at::Tensor d_parameters = at::zeros({chunks, 2, width}, sum.options());
    if (of_normalised.defined())
      with_type(of_normalised.scalar_type(), [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin * kChunk; row < std::min(rows, end * kChunk); ++row) {
            const float* stat = statistics.data_ptr<float>() + 2 * row;
            float* d_weight = d_parameters.data_ptr<float>() + row / kChunk * 2 * width;
            kernels::normalise_back(of_normalised.data_ptr<T>() + row * width,
                                    sum.data_ptr<float>() + row * width, width, stat[0], stat[1],
                                    weight.data_ptr<float>(), d_stream.data_ptr<float>() + row * width,
                                    d_weight, d_weight + width);
          }
        });
      });
    if (d_branch.defined()) {
      if (dropout.active() || d_branch.scalar_type() != at::kFloat)
        with_type(d_branch.scalar_type(), [&](auto* type) {
          using B = std::remove_pointer_t<decltype(type)>;
          at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
            std::vector<float> factors(static_cast<size_t>(width), 1.0F);
            for (int64_t row = begin; row < end; ++row) {
              if (dropout.active()) dropout.mask(row, width, factors.data());
              kernels::scale(d_stream.data_ptr<float>() + row * width, factors.data(), width,
                             d_branch.data_ptr<B>() + row * width);
            }
          });
        });
      else
        d_branch.copy_(d_stream);
    }
    const at::Tensor d_both = d_parameters.sum(0);
    return {d_stream, d_branch, d_both[0], d_both[1], at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ResidualNorm::ResidualNorm(ParameterRegistry& registry, const std::string& name, int64_t width,
                           double epsilon)
    : weight_(registry.add_parameter(name + ".weight", {width}, Role::norm_scale, Initialiser::constant(1),
                                     true)),
      bias_(registry.add_parameter(name + ".bias", {width}, Role::norm_bias, Initialiser::constant(0), true)),
      epsilon_(epsilon) {}

ResidualNorm::Result ResidualNorm::operator()(const at::Tensor& stream, const at::Tensor& branch,
                                              const RowDropout& dropout, at::ScalarType type) const {
  if (has_kernels(stream)) {
    const variable_list results =
        FusedResidualNorm::apply(stream, branch.defined() ? branch : at::empty({0}), weight_->value,
                                 bias_->value, epsilon_, type, dropout);
    return {results.size() == 2 ? results[0] : stream, results.back()};
  }
  const at::Tensor sum = branch.defined() ? stream + drop_rows(branch, dropout).to(at::kFloat) : stream;
  const at::Tensor normalised = at::layer_norm(sum, {sum.size(1)}, weight_->value.to(sum.scalar_type()),
                                               bias_->value.to(sum.scalar_type()), epsilon_);
  return {sum, normalised.to(type)};
}

}  // namespace smoothlab::models
