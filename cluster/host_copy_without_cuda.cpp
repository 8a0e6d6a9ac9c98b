#include <ATen/ATen.h>

#include "cluster/host_copy.h"

namespace smoothlab::cluster {

struct HostCopy::Arrival {};

HostCopy::HostCopy(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) copies_.push_back(tensor.defined() ? tensor.contiguous() : tensor);
}
HostCopy::~HostCopy() = default;
HostCopy::HostCopy(HostCopy&&) noexcept = default;
HostCopy& HostCopy::operator=(HostCopy&&) noexcept = default;

const std::vector<at::Tensor>& HostCopy::wait() {
  return copies_;
}

}  // namespace smoothlab::cluster
