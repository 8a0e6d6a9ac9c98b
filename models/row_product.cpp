#include "models/row_product.h"

#include <cstring>

#include "cluster/vector_clones.h"

// Bodies must be inlined into each copy to be compiled for its instruction set.
#define SMOOTHLAB_BODY __attribute__((always_inline)) inline

namespace smoothlab::models {
namespace {

constexpr int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

/// M rows of c and V vectors of columns, held in registers.
template <int M, int V>
SMOOTHLAB_BODY void tile(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c,
                         int64_t c_stride, int64_t k) {
  Lanes sums[M][V];
  for (int row = 0; row < M; ++row)
    for (int v = 0; v < V; ++v) std::memcpy(&sums[row][v], c + row * c_stride + v * kLanes, sizeof(Lanes));
  for (int64_t i = 0; i < k; ++i) {
    Lanes columns[V];
    for (int v = 0; v < V; ++v) std::memcpy(&columns[v], b + i * b_stride + v * kLanes, sizeof(Lanes));
    for (int row = 0; row < M; ++row)
      for (int v = 0; v < V; ++v) sums[row][v] += a[row * a_stride + i] * columns[v];
  }
  for (int row = 0; row < M; ++row)
    for (int v = 0; v < V; ++v) std::memcpy(c + row * c_stride + v * kLanes, &sums[row][v], sizeof(Lanes));
}

template <int V>
SMOOTHLAB_BODY void panel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c,
                          int64_t c_stride, int64_t m, int64_t k) {
  int64_t row = 0;
  for (; row + 6 <= m; row += 6)
    tile<6, V>(a + row * a_stride, a_stride, b, b_stride, c + row * c_stride, c_stride, k);
  for (; row + 2 <= m; row += 2)
    tile<2, V>(a + row * a_stride, a_stride, b, b_stride, c + row * c_stride, c_stride, k);
  if (row < m) tile<1, V>(a + row * a_stride, a_stride, b, b_stride, c + row * c_stride, c_stride, k);
}

}  // namespace

SMOOTHLAB_VECTOR_CLONES void add_product(const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                                         float* c, int64_t c_stride, int64_t m, int64_t n, int64_t k) {
  int64_t column = 0;
  for (; column + 2 * kLanes <= n; column += 2 * kLanes)
    panel<2>(a, a_stride, b + column, b_stride, c + column, c_stride, m, k);
  if (column < n) panel<1>(a, a_stride, b + column, b_stride, c + column, c_stride, m, k);
}

}  // namespace smoothlab::models
