#pragma once

#include <cstdint>
#include <vector>

#include "eval/logit_schema.h"

namespace smoothlab::eval {

/// Rows of a summary; arrays are row-major. With z a row's logits and T_j its temperatures:
struct SummaryRows {
  std::vector<double> log_sum_exp;   ///< [rows, G]: log Σ_k exp(z_k / T_j)
  std::vector<float> label_logits;   ///< [rows]: z of the label
  std::vector<float> top_logits;     ///< [rows, k], falling
  std::vector<int32_t> top_classes;  ///< [rows, k]: whose they are; of equals the lower class is first
};

/// 2^(j/16) from ¼ to 4, 65 temperatures. Even in log T, as fine as temperature_grid.h needs to interpolate,
/// and with T comes T/2: Σ p² at T, and so Brier, is exp(lse(T/2) − 2 lse(T)).
std::vector<double> summary_temperatures();

/// What a summary of K classes keeps: the grid above, and at most 10 logits.
SummaryShape summary_shape(int64_t classes);

/// Summarises rows [n, K], in double precision and on ATen's threads; the result does not depend on how many.
/// logits: finite; labels: in 0 … K−1. Takes the memory of its result and of a thread's 1024 classes.
SummaryRows summarise(const float* logits, const int64_t* labels, int64_t n, int64_t classes,
                      const SummaryShape& shape);

/// Whether these are n rows of that shape.
bool has_shape(const SummaryRows& rows, const SummaryShape& shape, size_t n);
/// Memory of the rows.
int64_t summary_bytes(const SummaryRows& rows);

}  // namespace smoothlab::eval
