#include "eval/half_precision.h"

#include <c10/util/Half.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace smoothlab::eval {
namespace {

#if defined(__x86_64__)
__attribute__((target("f16c,avx"))) int64_t to_halves_f16c(const float* in, int64_t count, uint16_t* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), halves);
  }
  return i;
}

__attribute__((target("f16c,avx"))) int64_t to_floats_f16c(const uint16_t* in, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
  }
  return i;
}

bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0 && __builtin_cpu_supports("avx");
}
#else
int64_t to_halves_f16c(const float*, int64_t, uint16_t*) {
  return 0;
}
int64_t to_floats_f16c(const uint16_t*, int64_t, float*) {
  return 0;
}
bool has_f16c() {
  return false;
}
#endif

}  // namespace

void floats_to_halves(const float* in, int64_t count, uint16_t* out) {
  for (int64_t i = has_f16c() ? to_halves_f16c(in, count, out) : 0; i < count; ++i)
    out[i] = c10::Half(in[i]).x;
}

void halves_to_floats(const uint16_t* in, int64_t count, float* out) {
  for (int64_t i = has_f16c() ? to_floats_f16c(in, count, out) : 0; i < count; ++i)
    out[i] = static_cast<float>(c10::Half(in[i], c10::Half::from_bits()));
}

}  // namespace smoothlab::eval
