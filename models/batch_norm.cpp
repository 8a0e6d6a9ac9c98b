#include "models/batch_norm.h"

#include "models/fused_batch_norm.h"

namespace smoothlab::models {

BatchNorm::BatchNorm(ParameterRegistry& registry, const std::string& name, int64_t channels, double epsilon,
                     double momentum)
    : epsilon_(epsilon),
      momentum_(momentum),
      weight_(registry.add_parameter(name + ".weight", {channels}, Role::norm_scale, Initialiser::constant(1),
                                     true)),
      bias_(registry.add_parameter(name + ".bias", {channels}, Role::norm_bias, Initialiser::constant(0),
                                   true)),
      running_mean_(registry.add_buffer(name + ".running_mean", channels, 0)),
      running_var_(registry.add_buffer(name + ".running_var", channels, 1)) {}

at::Tensor BatchNorm::apply(const at::Tensor& input, const at::Tensor& residual, bool relu,
                            bool training) const {
  return fused_batch_norm(input, residual,
                          {weight_->value, bias_->value, running_mean_->value, running_var_->value, epsilon_,
                           momentum_, training, relu});
}

}  // namespace smoothlab::models
