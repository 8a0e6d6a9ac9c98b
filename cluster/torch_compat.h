#pragma once

#include <ATen/ATen.h>
#include <torch/version.h>

#include <vector>

namespace smoothlab::cluster {

// Where LibTorch 1.13, 2.6 and 2.11 differ, and nowhere else.

/// Whether float32 products and convolutions on CUDA may round their factors to 10 bits (TF32).
inline void allow_tf32(bool allowed) {
  at::globalContext().setAllowTF32CuBLAS(allowed);
  at::globalContext().setAllowTF32CuDNN(allowed);
}

/// to[i] = from[i]. On a GPU some 60 tensors go in a launch, where those of each list are of one type and
/// have the strides of their counterparts.
inline void copy_all(const std::vector<at::Tensor>& to, const std::vector<at::Tensor>& from) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
  at::_foreach_copy_(to, from);
#else
  for (size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
#endif
}

}  // namespace smoothlab::cluster
