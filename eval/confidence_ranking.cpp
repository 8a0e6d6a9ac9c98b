#include "eval/confidence_ranking.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace smoothlab::eval {
namespace {

constexpr double unit = 1.0 / (1 << 30);
constexpr size_t cell_count = (size_t{1} << 20) + 1;

size_t cell_of(uint32_t record) {
  return ((record >> 1) + 512) >> 10;
}

/// Bins of equal mass that are filled in rising order of confidence.
class EqualMass {
 public:
  EqualMass(double rows, int bins) : share_(rows / bins), room_(share_), bins_left_(bins) {}
  void add(double count, double confidence, double correct) {
    while (bins_left_ > 1 && count >= room_) {
      const double part = room_ / count;
      confidence_ += part * confidence;
      correct_ += part * correct;
      count -= room_;
      confidence -= part * confidence;
      correct -= part * correct;
      close();
    }
    confidence_ += confidence;
    correct_ += correct;
    room_ -= count;
  }
  double error() {
    close();
    return error_;
  }

 private:
  void close() {
    error_ += std::abs(correct_ - confidence_);
    confidence_ = correct_ = 0;
    room_ = share_;
    --bins_left_;
  }
  double share_, room_;
  int bins_left_;
  double confidence_ = 0, correct_ = 0, error_ = 0;
};

}  // namespace

void ConfidenceRanking::add_record(Cell& cell, uint32_t record) {
  cell.confidence += record >> 1;
  cell.count += 1;
  cell.correct += record & 1;
}

void ConfidenceRanking::add(double confidence, bool correct) {
  const auto scaled = static_cast<uint32_t>(std::clamp(confidence, 0.0, 1.0) * (1 << 30) + 0.5);
  const uint32_t record = scaled << 1 | (correct ? 1U : 0U);
  ++rows_;
  if (cells_.empty()) {
    records_.push_back(record);
    if (records_.size() <= most_records_) return;
    cells_.resize(cell_count);
    for (uint32_t kept : records_) add_record(cells_[cell_of(kept)], kept);
    records_ = {};
  } else {
    add_record(cells_[cell_of(record)], record);
  }
}

// Two counting passes over the 21 bits of the cell.
std::vector<uint32_t> ConfidenceRanking::sorted() const {
  std::vector<uint32_t> from = records_, to(records_.size());
  for (int shift : {0, 11}) {
    std::array<size_t, 2049> place{};
    const auto digit = [shift](uint32_t record) { return cell_of(record) >> shift & 2047; };
    for (uint32_t record : from) ++place[digit(record) + 1];
    for (size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
    for (uint32_t record : from) to[place[digit(record)]++] = record;
    from.swap(to);
  }
  return from;
}

double ConfidenceRanking::adaptive_error(int bins) const {
  if (rows_ == 0) return 0;
  const auto rows = static_cast<double>(rows_);
  EqualMass mass(rows, bins);
  const auto add = [&mass](const Cell& cell) {
    if (cell.count > 0) mass.add(cell.count, static_cast<double>(cell.confidence) * unit, cell.correct);
  };
  if (!cells_.empty()) {
    for (const Cell& cell : cells_) add(cell);
    return mass.error() / rows;
  }
  const std::vector<uint32_t> records = sorted();
  for (size_t i = 0; i < records.size();) {
    const size_t group = cell_of(records[i]);
    Cell cell;
    for (; i < records.size() && cell_of(records[i]) == group; ++i) add_record(cell, records[i]);
    add(cell);
  }
  return mass.error() / rows;
}

}  // namespace smoothlab::eval
