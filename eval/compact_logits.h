#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// What became of the softmax of a file's rows at a temperature.
struct CompactError {
  double temperature = 1;
  double gamma = 0, gamma_compact = 0;  ///< equivalent smoothing, see equivalent_smoothing.h
  /// Mean over rows of ½ Σ_k |p_k − q_k|. A student's cross-entropy changes by no more than twice this times
  /// the range of its log-probabilities.
  double total_variation = 0;
};

/// Writes a logit file that keeps the `top` greatest logits of each row, /top_logits [N, top] and
/// /top_classes [N, top], and one value for each of the others, /rest_logit [N]: log(Σ_rest e^z / (K − top)).
/// So at temperature 1 the mass of the rest is what it was, and only how it is divided is lost; at others it
/// is above it (T > 1, by Jensen's inequality) or below (T < 1). Labels, sample ids, positions and attributes
/// are copied. 8·top + 20 bytes a row. What such a file is good for is to be replayed to a student.
///
/// Returns the error at each temperature. Throws UsageError for top < 1 or ≥ K or for a file of something
/// else in the way, DataError for what cannot be read, EnvironmentError where the disk fails.
std::vector<CompactError> compact_logit_file(const std::string& from, const std::string& to, int64_t top,
                                             const std::vector<double>& temperatures);

}  // namespace smoothlab::eval
