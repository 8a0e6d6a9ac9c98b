#include "eval/logit_summary.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/exponential_sums.h"

namespace smoothlab::eval {
namespace {

/// The k greatest in falling order; of equals the lower class first.
void take_greatest(const float* z, int64_t classes, int64_t top, float* logits, int32_t* which) {
  int64_t taken = 0;
  for (int64_t k = 0; k < classes; ++k) {
    if (taken == top && z[k] <= logits[top - 1]) continue;
    int64_t at = taken < top ? taken++ : top - 1;
    for (; at > 0 && z[k] > logits[at - 1]; --at) {
      logits[at] = logits[at - 1];
      which[at] = which[at - 1];
    }
    logits[at] = z[k];
    which[at] = static_cast<int32_t>(k);
  }
}

}  // namespace

std::vector<double> summary_temperatures() {
  std::vector<double> temperatures;
  for (int j = -32; j <= 32; ++j) temperatures.push_back(std::exp2(j / 16.0));
  return temperatures;
}

SummaryShape summary_shape(int64_t classes) {
  return {std::min<int64_t>(10, classes), summary_temperatures()};
}

SummaryRows summarise(const float* logits, const int64_t* labels, int64_t n, int64_t classes,
                      const SummaryShape& shape) {
  const size_t rows = static_cast<size_t>(n), top = static_cast<size_t>(shape.top),
               grid = shape.temperatures.size();
  SummaryRows out;
  out.log_sum_exp.resize(rows * grid);
  out.label_logits.resize(rows);
  out.top_logits.resize(rows * top);
  out.top_classes.resize(rows * top);
  const ExponentialSums sums(shape.temperatures);
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<size_t>(i);
      const float* z = logits + i * classes;
      out.label_logits[row] = z[labels[i]];
      float* greatest = out.top_logits.data() + row * top;
      take_greatest(z, classes, shape.top, greatest, out.top_classes.data() + row * top);
      double* lse = out.log_sum_exp.data() + row * grid;
      sums.of(z, classes, greatest[0], lse);
      for (size_t j = 0; j < grid; ++j) lse[j] = greatest[0] / shape.temperatures[j] + std::log(lse[j]);
    }
  });
  return out;
}

bool has_shape(const SummaryRows& rows, const SummaryShape& shape, size_t n) {
  const size_t top = n * static_cast<size_t>(shape.top);
  return rows.log_sum_exp.size() == n * shape.temperatures.size() && rows.label_logits.size() == n &&
         rows.top_logits.size() == top && rows.top_classes.size() == top;
}

int64_t summary_bytes(const SummaryRows& rows) {
  return static_cast<int64_t>(
      8 * rows.log_sum_exp.size() +
      4 * (rows.label_logits.size() + rows.top_logits.size() + rows.top_classes.size()));
}

}  // namespace smoothlab::eval
