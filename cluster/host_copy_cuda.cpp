#include <ATen/ATen.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>

#include "cluster/host_copy.h"

namespace smoothlab::cluster {

struct HostCopy::Arrival {
  at::cuda::CUDAEvent event;
};

HostCopy::HostCopy(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.is_cpu()) {
      copies_.push_back(tensor.defined() ? tensor.contiguous() : tensor);
      continue;
    }
    // Dense before the copy, which then is one transfer.
    const at::Tensor dense = tensor.contiguous();
    copies_.push_back(at::empty(dense.sizes(), dense.options().device(at::kCPU).pinned_memory(true)));
    copies_.back().copy_(dense, /*non_blocking=*/true);
    if (!arrival_) arrival_ = std::make_unique<Arrival>();
    arrival_->event.record(c10::cuda::getCurrentCUDAStream(tensor.device().index()));
  }
}
HostCopy::~HostCopy() = default;
HostCopy::HostCopy(HostCopy&&) noexcept = default;
HostCopy& HostCopy::operator=(HostCopy&&) noexcept = default;

const std::vector<at::Tensor>& HostCopy::wait() {
  if (arrival_) arrival_->event.synchronize();
  arrival_.reset();
  return copies_;
}

}  // namespace smoothlab::cluster
