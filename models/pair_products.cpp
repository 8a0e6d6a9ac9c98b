#include "models/pair_products.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define SMOOTHLAB_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#include <immintrin.h>
#endif

namespace smoothlab::models::pair_products {

#ifdef SMOOTHLAB_PAIRS

namespace {

constexpr int64_t kLanes = 16;

/// Which of two rows' numbers make the pairs of the first and of the second sixteen columns; the other row's
/// count from 32.
alignas(64) constexpr uint16_t kFirst[kColumns] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                   37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                   11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
alignas(64) constexpr uint16_t kSecond[kColumns] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21,
                                                    53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58,
                                                    27, 59, 28, 60, 29, 61, 30, 62, 31, 63};

template <int kCount>
SMOOTHLAB_PAIRS void product(const uint32_t* a, const uint32_t* b, int64_t pairs, float* c, bool add) {
  __m512 sums[kCount][2];
  for (int row = 0; row < kCount; ++row) sums[row][0] = sums[row][1] = _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k, a += kCount, b += kColumns) {
    const auto left = (__m512bh)_mm512_loadu_si512(b), right = (__m512bh)_mm512_loadu_si512(b + kLanes);
#pragma GCC unroll 12
    for (int row = 0; row < kCount; ++row) {
      const auto factor = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[row]));
      sums[row][0] = _mm512_dpbf16_ps(sums[row][0], left, factor);
      sums[row][1] = _mm512_dpbf16_ps(sums[row][1], right, factor);
    }
  }
  for (int row = 0; row < kCount; ++row, c += kColumns) {
    if (add) {
      sums[row][0] = _mm512_add_ps(sums[row][0], _mm512_loadu_ps(c));
      sums[row][1] = _mm512_add_ps(sums[row][1], _mm512_loadu_ps(c + kLanes));
    }
    _mm512_storeu_ps(c, sums[row][0]);
    _mm512_storeu_ps(c + kLanes, sums[row][1]);
  }
}

}  // namespace

bool available() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16");
  return has;
}

SMOOTHLAB_PAIRS void interleave(const c10::BFloat16* const* rows, int64_t pairs, int64_t first,
                                int64_t columns, uint32_t* to, int64_t panel) {
  const __m512i low = _mm512_load_si512(kFirst), high = _mm512_load_si512(kSecond);
  for (int64_t k = 0; k < pairs; ++k, to += kColumns) {
    const c10::BFloat16 *const above = rows[2 * k] + first, *const below = rows[2 * k + 1] + first;
    uint32_t* words = to;
    for (int64_t c = 0; c < columns; c += kColumns, words += panel) {
      const __m512i one = _mm512_loadu_si512(above + c), other = _mm512_loadu_si512(below + c);
      _mm512_storeu_si512(words, _mm512_permutex2var_epi16(one, low, other));
      _mm512_storeu_si512(words + kLanes, _mm512_permutex2var_epi16(one, high, other));
    }
  }
}

void block_product(const uint32_t* a, const uint32_t* b, int64_t pairs, int64_t rows, float* c, bool add) {
  if (rows == 12) return product<12>(a, b, pairs, c, add);
  if (rows == 8) return product<8>(a, b, pairs, c, add);
  product<4>(a, b, pairs, c, add);
}

SMOOTHLAB_PAIRS void round(const float* from, c10::BFloat16* to) {
  const __m512bh rounded = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + kLanes), _mm512_loadu_ps(from));
  _mm512_storeu_si512(to, (__m512i)rounded);
}

#else

bool available() {
  return false;
}
void interleave(const c10::BFloat16* const*, int64_t, int64_t, int64_t, uint32_t*, int64_t) {}
void block_product(const uint32_t*, const uint32_t*, int64_t, int64_t, float*, bool) {}
void round(const float*, c10::BFloat16*) {}

#endif

}  // namespace smoothlab::models::pair_products
