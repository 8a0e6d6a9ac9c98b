#pragma once

#include <ATen/Context.h>

namespace smoothlab::cluster {

// Where LibTorch 1.13, 2.6 and 2.11 differ, and nowhere else.

/// Whether float32 products and convolutions on CUDA may round their factors to 10 bits (TF32).
inline void allow_tf32(bool allowed) {
  at::globalContext().setAllowTF32CuBLAS(allowed);
  at::globalContext().setAllowTF32CuDNN(allowed);
}

}  // namespace smoothlab::cluster
