#include "eval/classwise_bins.h"

#include <algorithm>
#include <cmath>

namespace smoothlab::eval {

void ClasswiseRows::clear() {
  std::fill(column.begin(), column.end(), 0.0);
  entries.clear();
  labels_in_first_bin.clear();
}

ClasswiseBins::ClasswiseBins(int64_t classes, int bins)
    : classes_(classes),
      bins_(bins),
      first_(static_cast<size_t>(classes)),
      others_(static_cast<size_t>(classes * (bins - 1))) {}

void ClasswiseBins::add(const ClasswiseRows& rows) {
  for (size_t k = 0; k < rows.column.size(); ++k) first_[k] += rows.column[k];
  for (const auto& entry : rows.entries)
    others_[static_cast<size_t>(int64_t{entry.class_number} * (bins_ - 1) + entry.bin - 1)] +=
        entry.difference;
  for (int32_t label : rows.labels_in_first_bin) first_[static_cast<size_t>(label)] -= 1;
}

double ClasswiseBins::error(double rows) const {
  double sum = 0;
  for (const auto* part : {&first_, &others_})
    for (double difference : *part) sum += std::abs(difference);
  return sum / (rows * static_cast<double>(classes_));
}

ClasswiseCollector::ClasswiseCollector(int64_t classes, int bins)
    : classes_(classes), bins_(bins), column_(classes), above_(static_cast<size_t>(classes)) {}

void ClasswiseCollector::add(RowJudge& judge, int64_t label, ClasswiseRows& rows) {
  // A little below the first edge, as single precision rounds; probability_bin() then decides.
  const auto threshold = static_cast<float>((1 - 4e-6) / (bins_ * judge.scale()));
  const int64_t found =
      row_kernels().add_scaled(judge.exponentials(), classes_, static_cast<float>(judge.scale()), threshold,
                               column_.data(), above_.data());
  bool label_found = false;
  for (int64_t i = 0; i < found; ++i) {
    const int32_t k = above_[static_cast<size_t>(i)];
    const int bin = judge.probability_bin(k);
    if (bin == 0) continue;
    const double probability = static_cast<double>(judge.exponentials()[k]) * judge.scale();
    // The column holds it too; what is taken off there must be what was added.
    column_.data()[k] -= judge.exponentials()[k] * static_cast<float>(judge.scale());
    rows.entries.push_back({k, bin, probability - (k == label ? 1 : 0)});
    label_found = label_found || k == label;
  }
  if (!label_found) rows.labels_in_first_bin.push_back(static_cast<int32_t>(label));
  if (++unfinished_ == 256) finish(rows);
}

void ClasswiseCollector::finish(ClasswiseRows& rows) {
  rows.column.resize(static_cast<size_t>(classes_));
  for (size_t k = 0; k < rows.column.size(); ++k) rows.column[k] += static_cast<double>(column_.data()[k]);
  std::fill_n(column_.data(), classes_, 0.0F);
  unfinished_ = 0;
}

}  // namespace smoothlab::eval
