#include "trainer/gradient_clip.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cluster/vector_clones.h"

namespace smoothlab::trainer {
namespace {

SMOOTHLAB_VECTOR_CLONES
double sum_of_squares(const float* values, int64_t count) {
  constexpr int lanes = 16;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int j = 0; j < lanes; ++j) {
      const double value = static_cast<double>(values[i + j]);
      sums[j] += value * value;
    }
  for (int j = 0; i < count; ++i, ++j)
    sums[j] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

at::Tensor global_norm(const at::Tensor& flat) {
  if (!flat.is_cpu()) return at::sum(flat.square(), at::kDouble).sqrt().to(at::kFloat);
  constexpr int64_t block = 16384;
  const int64_t count = flat.numel(), blocks = (count + block - 1) / block;
  const float* values = flat.data_ptr<float>();
  std::vector<double> sums(static_cast<size_t>(blocks));
  at::parallel_for(0, blocks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      sums[static_cast<size_t>(b)] = sum_of_squares(values + b * block, std::min(block, count - b * block));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return at::scalar_tensor(std::sqrt(total), flat.options());
}

at::Tensor clip_factor(const at::Tensor& norm, double clip_norm) {
  return at::clamp_max(clip_norm / norm, 1.0);
}

}  // namespace smoothlab::trainer
