#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

/// Inner loops of sums over products of bf16 numbers, two at a time, by the instructions that AVX512-BF16 has
/// for it; sums are float32. A pair is two numbers of the same column in rows that follow each other, packed
/// into 32 bits. None may be called where available() says no.
namespace smoothlab::models::pair_products {

constexpr int64_t kRows = 12, kColumns = 32;

/// Whether this build and processor have the instructions.
bool available();

/// to[c / kColumns · panel + k · kColumns + c % kColumns] = (rows[2k][first + c], rows[2k + 1][first + c])
/// for k < pairs and c < columns, a multiple of kColumns.
void interleave(const c10::BFloat16* const* rows, int64_t pairs, int64_t first, int64_t columns, uint32_t* to,
                int64_t panel);

/// c[r · kColumns + n] = Σ_k a[k · rows + r] · b[k · kColumns + n], both parts of each pair, for n < kColumns
/// and 4, 8 or 12 rows; with `add` beside what c held.
void block_product(const uint32_t* a, const uint32_t* b, int64_t pairs, int64_t rows, float* c, bool add);

/// To nearest, ties to even; kColumns numbers.
void round(const float* from, c10::BFloat16* to);

}  // namespace smoothlab::models::pair_products
