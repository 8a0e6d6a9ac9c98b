#include "trainer/weight_average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace smoothlab::trainer {
namespace {

void exchange(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor kept = a.clone();
  a.copy_(b);
  b.copy_(kept);
}

}  // namespace

WeightAverage::WeightAverage(FlatParameters& parameters, double decay, bool warmup)
    : parameters_(parameters),
      decay_(decay),
      warmup_(warmup),
      layout_(parameters.layout()),
      average_(parameters.master().clone()) {
  for (const auto& buffer : parameters.network().buffers())
    if (buffer.value.scalar_type() == at::kFloat)
      buffer_averages_.emplace_back(buffer.name, buffer.value.clone());
}

void WeightAverage::update() {
  begin_update();
  apply();
}

void WeightAverage::begin_update() {
  const c10::AutoGradMode no_gradients(false);
  const double n = static_cast<double>(++updates_);
  const double share = 1 - (warmup_ ? std::min(decay_, (1 + n) / (10 + n)) : decay_);
  if (!average_.is_cpu() && share != share_) {
    if (!share_on_device_.defined()) share_on_device_ = at::zeros({}, average_.options());
    share_on_device_.fill_(share);
  }
  share_ = share;
}

void WeightAverage::apply() {
  const c10::AutoGradMode no_gradients(false);
  const auto move = [this](const at::Tensor& average, const at::Tensor& value) {
    if (share_on_device_.defined())
      average.lerp_(value, share_on_device_);
    else
      average.lerp_(value, share_);
  };
  move(average_, parameters_.master());
  size_t next = 0;
  for (const auto& buffer : parameters_.network().buffers())
    if (buffer.value.scalar_type() == at::kFloat) move(buffer_averages_[next++].second, buffer.value);
}

void WeightAverage::swap() {
  const c10::AutoGradMode no_gradients(false);
  exchange(average_, parameters_.master());
  parameters_.refresh_working();
  size_t next = 0;
  for (const auto& buffer : parameters_.network().buffers())
    if (buffer.value.scalar_type() == at::kFloat) exchange(buffer_averages_[next++].second, buffer.value);
}

void WeightAverage::adopt_layout() {
  average_ = move_flat(average_, layout_, parameters_.layout());
  layout_ = parameters_.layout();
}

}  // namespace smoothlab::trainer
