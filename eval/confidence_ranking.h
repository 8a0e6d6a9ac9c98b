#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// Confidences in rising order, for bins of equal mass. Kept at 2⁻³⁰; confidences that round to the same
/// multiple of 2⁻²⁰ (about 10⁻⁶) count as ties. 4 bytes a row up to `exact_rows`, then a histogram of 16 MB
/// that holds any number of rows and gives the same figures.
class ConfidenceRanking {
 public:
  static constexpr size_t exact_rows = size_t{1} << 23;
  explicit ConfidenceRanking(size_t most_records = exact_rows) : most_records_(most_records) {}

  void add(double confidence, bool correct);
  /// Adaptive ECE (Nixon et al. 2019): Σ_b 1/B · |acc_b − conf_b| over B bins of N/B rows each, by rising
  /// confidence. N/B need not be whole, and ties are not ordered: a group of ties that lies on a boundary is
  /// shared by its two bins in proportion, accuracy and confidence alike, so the order of rows cannot matter.
  double adaptive_error(int bins) const;

 private:
  struct Cell {
    uint64_t confidence = 0;  // sum, in units of 2⁻³⁰
    uint32_t count = 0, correct = 0;
  };
  static void add_record(Cell& cell, uint32_t record);
  std::vector<uint32_t> sorted() const;

  size_t most_records_, rows_ = 0;
  std::vector<uint32_t> records_;  // confidence · 2³⁰, then one bit: correct
  std::vector<Cell> cells_;
};

}  // namespace smoothlab::eval
