#pragma once

#include <cstdint>
#include <vector>

#include "eval/row_judge.h"

namespace smoothlab::eval {

/// What some consecutive rows add to ClasswiseBins.
struct ClasswiseRows {
  struct Entry {
    int32_t class_number;
    int32_t bin;  ///< ≥ 1
    double difference;
  };
  std::vector<double> column;  ///< [K] Σ over rows of p_k
  std::vector<Entry> entries;  ///< probabilities that are not in bin 0
  std::vector<int32_t> labels_in_first_bin;
  void clear();  ///< keeps the memory
};

/// Sums for the classwise ECE (Nixon et al. 2019, "static"; Kull et al. 2019), `standard` bins of every
/// class's probability. Of the K probabilities of a row all but a few lie in bin 0: those are summed by
/// columns, and only the others one by one. 8·K·bins bytes.
class ClasswiseBins {
 public:
  ClasswiseBins(int64_t classes, int bins);
  void add(const ClasswiseRows& rows);
  /// 1/K Σ_k Σ_b n_kb/N · |acc_kb − conf_kb|.
  double error(double rows) const;

 private:
  int64_t classes_;
  int bins_;
  // Σ p_k − Σ y_k. Bin 0 apart, as nearly everything is added there, in long runs.
  std::vector<double> first_;   // [K]
  std::vector<double> others_;  // [K, bins − 1]
};

/// Collects rows, one after the other.
class ClasswiseCollector {
 public:
  ClasswiseCollector(int64_t classes, int bins);
  /// Adds the row last judged to `rows`; some of it only with finish().
  void add(RowJudge& judge, int64_t label, ClasswiseRows& rows);
  void finish(ClasswiseRows& rows);

 private:
  int64_t classes_;
  int bins_, unfinished_ = 0;
  FloatLanes column_;  // single precision over few rows
  std::vector<int32_t> above_;
};

}  // namespace smoothlab::eval
