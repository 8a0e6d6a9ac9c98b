#pragma once

#include "models/local_response_norm.h"

namespace smoothlab::models {

/// Whether gpu_response_norm() and gpu_max_pool() take this input: float32 or bf16 on a CUDA device, channels
/// last, 16 bytes of channels or a multiple of it. Never where the program was built without CUDA.
bool gpu_windows_take(const at::Tensor& input);
/// And windows over so many channels.
bool gpu_response_norm_takes(const at::Tensor& input, const LocalResponseNorm& norm);

/// LocalResponseNorm as one pass over memory in either direction.
at::Tensor gpu_response_norm(const at::Tensor& input, const LocalResponseNorm& norm);

/// max_pool_3x3_same(); of equal maxima the first gets the gradient.
at::Tensor gpu_max_pool(const at::Tensor& input);

}  // namespace smoothlab::models
