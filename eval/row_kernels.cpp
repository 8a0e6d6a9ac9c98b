#include "eval/row_kernels.h"

#include <cstddef>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#include <immintrin.h>
#endif

namespace smoothlab::eval {
#define SMOOTHLAB_LANES 4
namespace baseline {
#include "eval/row_kernels_body.h"
constexpr RowKernels kernels{"baseline",          finite,  rank,      exponentials,
                             exponentials_of_two, moments, add_scaled};
}  // namespace baseline
#undef SMOOTHLAB_LANES

// Sanitizers and other compilers run the baseline: the same source, and the same results to rounding.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define SMOOTHLAB_ROW_KERNELS_X86 1
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SMOOTHLAB_LANES 8
namespace avx2 {
#include "eval/row_kernels_body.h"
constexpr RowKernels kernels{"avx2", finite, rank, exponentials, exponentials_of_two, moments, add_scaled};
}  // namespace avx2
#undef SMOOTHLAB_LANES
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define SMOOTHLAB_LANES 16
namespace avx512 {
#include "eval/row_kernels_body.h"
constexpr RowKernels kernels{"avx512", finite, rank, exponentials, exponentials_of_two, moments, add_scaled};
}  // namespace avx512
#undef SMOOTHLAB_LANES
#pragma GCC pop_options
#endif

RowKernelList all_row_kernels() {
  RowKernelList list{{&baseline::kernels}, 1};
#ifdef SMOOTHLAB_ROW_KERNELS_X86
  const auto add = [&list](const RowKernels& kernels) {
    list.kernels[static_cast<size_t>(list.count++)] = &kernels;
  };
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    add(avx2::kernels);
  if (list.count == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd"))
    add(avx512::kernels);
#endif
  return list;
}

const RowKernels& row_kernels() {
  static const RowKernelList list = all_row_kernels();
  return *list.kernels[static_cast<size_t>(list.count - 1)];
}

}  // namespace smoothlab::eval
