#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "trainer/gpu_update.h"
#include "trainer/gpu_update_kernels.h"

namespace smoothlab::trainer {
namespace {

at::Tensor chunk_table(const std::vector<Segment>& segments, c10::Device device) {
  std::vector<GpuChunk> chunks;
  for (const Segment& segment : segments)
    for (int64_t begin = segment.begin; begin < segment.end; begin += gpu_chunk_elements) {
      GpuChunk& chunk = chunks.emplace_back();
      chunk.begin = begin;
      chunk.count = static_cast<int32_t>(std::min<int64_t>(gpu_chunk_elements, segment.end - begin));
      chunk.lr_scale = static_cast<float>(segment.lr_scale);
      chunk.weight_decay = static_cast<float>(segment.weight_decay);
    }
  const at::Tensor table = at::empty({static_cast<int64_t>(chunks.size() * sizeof(GpuChunk))}, at::kByte);
  if (!chunks.empty()) std::memcpy(table.data_ptr(), chunks.data(), table.nbytes());
  return table.to(device);
}

float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

template <typename Rule>
void launch(const FlatUpdate& all, const at::Tensor& chunks, const at::Tensor& factors, const Rule& rule) {
  GpuBuffers buffers{};
  buffers.weights = all.weights.data_ptr<float>();
  buffers.gradients = all.gradients.data_ptr<float>();
  buffers.working = all.working.defined() ? all.working.data_ptr() : nullptr;
  buffers.grad_scale = data_or_null(all.grad_scale);
  buffers.factors = factors.data_ptr<float>();
  buffers.chunks = static_cast<const GpuChunk*>(chunks.data_ptr());
  buffers.chunk_count = static_cast<int>(chunks.numel() / static_cast<int64_t>(sizeof(GpuChunk)));
  buffers.decoupled = all.decoupled;
  if (buffers.chunk_count == 0) return;
  C10_CUDA_CHECK(launch_update(buffers, rule, c10::cuda::getCurrentCUDAStream(all.weights.device().index())));
}

}  // namespace

GpuUpdate::GpuUpdate(c10::Device device, const std::vector<Segment>& segments)
    : chunks_(chunk_table(segments, device)),
      factors_(at::zeros({3}, at::TensorOptions().dtype(at::kFloat).device(device))) {
  last_.lr = last_.correction1 = last_.correction2 = std::numeric_limits<double>::quiet_NaN();
}

void GpuUpdate::set(const StepFactors& factors) {
  const auto bring = [this](int64_t place, double now, double before, double value) {
    if (now != before) factors_[place].fill_(value);
  };
  bring(0, factors.lr, last_.lr, factors.lr);
  bring(1, factors.correction1, last_.correction1, 1 / factors.correction1);
  bring(2, factors.correction2, last_.correction2, 1 / std::sqrt(factors.correction2));
  last_ = factors;
}

void GpuUpdate::apply(const FlatUpdate& all, const MomentumRule& rule) const {
  launch(all, chunks_, factors_,
         GpuMomentum{data_or_null(rule.buffer), static_cast<float>(rule.momentum),
                     static_cast<float>(rule.share), rule.nesterov});
}

void GpuUpdate::apply(const FlatUpdate& all, const AdamRule& rule) const {
  launch(all, chunks_, factors_,
         GpuAdam{rule.first_moment.data_ptr<float>(), rule.second_moment.data_ptr<float>(),
                 static_cast<float>(rule.beta1), static_cast<float>(rule.beta2),
                 static_cast<float>(rule.epsilon)});
}

void GpuUpdate::apply(const FlatUpdate& all, const RmspropRule& rule) const {
  launch(all, chunks_, factors_,
         GpuRmsprop{rule.mean_square.data_ptr<float>(), data_or_null(rule.buffer),
                    static_cast<float>(rule.decay), static_cast<float>(rule.epsilon),
                    static_cast<float>(rule.momentum), rule.epsilon_inside});
}

}  // namespace smoothlab::trainer
