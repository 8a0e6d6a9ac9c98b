#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace smoothlab::eval {

/// How a score is computed from sums of statistics.
enum class Arithmetic {
  exact,  ///< sums are whole numbers, all else is double precision
  /// As sacreBLEU 2 with NumPy 1 scores a resample: statistics and their sums are single precision, and so is
  /// what it computes of two of them.
  resampled,
};

/// A score of a whole corpus that depends on its segments by sums of whole numbers alone, as BLEU and chrF
/// do. Objects keep buffers: one a thread. Text is well-formed UTF-8.
class SegmentMetric {
 public:
  virtual ~SegmentMetric() = default;
  virtual std::string name() const = 0;  ///< "BLEU", "chrF2++"
  /// How it was computed, as in a signature between the number of references and the version:
  /// "case:mixed|eff:no|tok:13a|smooth:exp".
  virtual std::string settings() const = 0;
  virtual size_t statistics() const = 0;  ///< whole numbers a segment
  /// Statistics of one segment of several systems against its references, ≥ 1: out[hypothesis, statistic].
  virtual void count(const std::vector<std::string_view>& hypotheses,
                     const std::vector<std::string_view>& references, int32_t* out) = 0;
  /// 0 … 100, of sums over segments, [statistics()].
  virtual double score(const double* sums, Arithmetic arithmetic) const = 0;
  /// What stands behind the score for people, empty where there is nothing; and the same by name.
  virtual std::string details(const double* sums) const = 0;
  virtual nlohmann::json details_json(const double* sums) const = 0;
};

}  // namespace smoothlab::eval
