#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"

namespace smoothlab::trainer {

/// Bytes that a training forward pass over `rows` samples of this shape keeps for its backward pass: measured
/// on one and two samples on the CPU and extended, as it is linear in the number of samples.
int64_t activation_bytes(models::Network& network, const std::vector<int64_t>& input_shape, bool bf16,
                         int64_t rows);
/// Of these inputs as they are. sample_ids: int64, one a row.
int64_t activation_bytes(models::Network& network, const std::vector<at::Tensor>& inputs,
                         const at::Tensor& sample_ids);

}  // namespace smoothlab::trainer
