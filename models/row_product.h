#pragma once

#include <cstdint>

namespace smoothlab::models {

/// c += a·b for row-major float32 matrices a [m, k], b [k, n], c [m, n] with these distances between rows;
/// n a multiple of 16. An element of c takes its k products one after another, so that no row depends on how
/// many others there are: bitwise the same alone and in a batch.
void add_product(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, int64_t m, int64_t n, int64_t k);

}  // namespace smoothlab::models
