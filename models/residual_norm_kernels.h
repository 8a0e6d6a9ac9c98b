#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

namespace smoothlab::models::residual_norm_kernels {

// One row each. B: of the branch, T: of what is normalised; float32 or bf16.

/// sum[i] = stream[i] + branch[i]·factors[i].
void add(const float* stream, const float* branch, const float* factors, int64_t n, float* sum);
void add(const float* stream, const c10::BFloat16* branch, const float* factors, int64_t n, float* sum);

/// Mean and 1/√(variance + epsilon).
void statistics(const float* row, int64_t n, float epsilon, float& mean, float& inverse);

/// out[i] = (row[i] − mean)·inverse·weight[i] + bias[i].
void normalise(const float* row, int64_t n, float mean, float inverse, const float* weight, const float* bias,
               float* out);
void normalise(const float* row, int64_t n, float mean, float inverse, const float* weight, const float* bias,
               c10::BFloat16* out);

/// Adds to d_row what comes back through normalise(), and to d_weight and d_bias the row's share.
void normalise_back(const float* gradient, const float* row, int64_t n, float mean, float inverse,
                    const float* weight, float* d_row, float* d_weight, float* d_bias);
void normalise_back(const c10::BFloat16* gradient, const float* row, int64_t n, float mean, float inverse,
                    const float* weight, float* d_row, float* d_weight, float* d_bias);

/// out[i] = gradient[i]·factors[i].
void scale(const float* gradient, const float* factors, int64_t n, float* out);
void scale(const float* gradient, const float* factors, int64_t n, c10::BFloat16* out);

}  // namespace smoothlab::models::residual_norm_kernels
