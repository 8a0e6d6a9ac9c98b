#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace smoothlab::cluster {

/// Copies of tensors on their way to main memory. On CUDA they go into page-locked memory once the current
/// stream has come here, while the host and later work of the stream go on.
class HostCopy {
 public:
  /// Undefined tensors stay undefined. Tensors on the CPU are taken as they are.
  explicit HostCopy(const std::vector<at::Tensor>& tensors);
  ~HostCopy();
  HostCopy(HostCopy&&) noexcept;
  HostCopy& operator=(HostCopy&&) noexcept;

  /// Returns when they are there: dense tensors on the CPU, of the same dtypes.
  const std::vector<at::Tensor>& wait();

 private:
  struct Arrival;
  std::vector<at::Tensor> copies_;
  std::unique_ptr<Arrival> arrival_;  ///< null: they are there
};

}  // namespace smoothlab::cluster
