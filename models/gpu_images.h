#pragma once

#include <cstdint>

namespace smoothlab::models {

/// Images on a CUDA device as its kernels see them: rows of pixels with channels innermost ("channels last"),
/// of float32 or bf16.
struct GpuImages {
  int64_t images;
  int height, width;
  int channels;  ///< a multiple of gpu_vector_size()
  bool bfloat16;
  int64_t pixels() const { return images * height * width; }
};

/// Channels that a thread takes at a time: 16 bytes.
constexpr int gpu_vector_size(bool bfloat16) {
  return bfloat16 ? 8 : 4;
}

}  // namespace smoothlab::models
