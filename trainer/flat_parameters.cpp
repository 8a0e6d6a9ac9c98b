#include "trainer/flat_parameters.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <numeric>

namespace smoothlab::trainer {

FlatParameters::FlatParameters(models::Network& network, c10::ScalarType compute_type, c10::Device device)
    : network_(network), compute_type_(compute_type) {
  const c10::AutoGradMode no_gradients(false);
  std::vector<at::Tensor> values;
  for (const auto& parameter : network.parameters())
    values.push_back(parameter.value.detach().to(device, at::kFloat));
  for (auto& buffer : network.buffers()) buffer.value = buffer.value.to(device);

  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  layout_ = cluster::FlatLayout(values, order);
  master_ = at::zeros({layout_.total()}, at::TensorOptions().dtype(at::kFloat).device(device));
  for (int64_t i = 0; i < count(); ++i) master_view(i).copy_(values[static_cast<size_t>(i)]);
  bind();
}

void FlatParameters::bind() {
  const c10::AutoGradMode no_gradients(false);
  if (compute_type_ != at::kFloat) working_ = master_.to(compute_type_);
  for (int64_t i = 0; i < count(); ++i) {
    auto& parameter = network_.parameters()[static_cast<size_t>(i)];
    const bool low_precision = working_.defined() && !parameter.keep_float32;
    parameter.value = layout_.view(low_precision ? working_ : master_, i).detach().requires_grad_(true);
  }
}

std::vector<at::Tensor> FlatParameters::leaves() const {
  std::vector<at::Tensor> leaves;
  for (const auto& parameter : network_.parameters()) leaves.push_back(parameter.value);
  return leaves;
}

void FlatParameters::refresh_working() {
  if (!working_.defined()) return;
  const c10::AutoGradMode no_gradients(false);
  working_.copy_(master_);
}

void FlatParameters::adopt(const cluster::FlatLayout& layout) {
  master_ = move_flat(master_, layout_, layout);
  layout_ = layout;
  bind();
}

at::Tensor move_flat(const at::Tensor& flat, const cluster::FlatLayout& from, const cluster::FlatLayout& to) {
  const c10::AutoGradMode no_gradients(false);
  at::Tensor moved = at::zeros({to.total()}, flat.options());
  for (int64_t i = 0; i < to.tensors(); ++i)
    moved.narrow(0, to.offset(i), to.size(i)).copy_(flat.narrow(0, from.offset(i), from.size(i)));
  return moved;
}

}  // namespace smoothlab::trainer
