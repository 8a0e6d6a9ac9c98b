#pragma once

#include <random>
#include <string>
#include <vector>

#include "shard_fixture.h"

namespace smoothlab::test {

/// Gaussian logits in which the label's is higher, so that a fitted temperature is inside the grid. Several
/// rows share a sample, as tokens do.
inline eval::LogitRows gaussian_rows(int64_t rows, int64_t classes, unsigned seed, float scale = 2,
                                     float above = 5) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  eval::LogitShape shape;
  shape.classes = classes;
  shape.positions = true;
  eval::LogitRows made = rows_of_split(shape, 0, rows);
  for (float& value : made.logits) value = scale * normal(random);
  for (size_t row = 0; row < made.labels.size(); ++row) {
    made.labels[row] = static_cast<int64_t>(random() % static_cast<unsigned>(classes));
    made.logits[row * static_cast<size_t>(classes) + static_cast<size_t>(made.labels[row])] += above;
    made.sample_ids[row] /= 5;
  }
  return made;
}

inline eval::LogitRows cut(const eval::LogitRows& rows, int64_t classes, int64_t first, int64_t count) {
  const auto part = [&](const auto& values, int64_t width) {
    return std::decay_t<decltype(values)>(values.begin() + first * width,
                                          values.begin() + (first + count) * width);
  };
  eval::LogitRows some;
  some.rows = count;
  some.logits = part(rows.logits, classes);
  some.labels = part(rows.labels, 1);
  some.sample_ids = part(rows.sample_ids, 1);
  some.positions = part(rows.positions, 1);
  return some;
}

/// Writes rows as they are, or summarised.
inline void write_rows(const std::string& path, eval::LogitRows rows, int64_t classes,
                       const std::optional<eval::SummaryShape>& summary = std::nullopt) {
  eval::LogitShape shape;
  shape.rows = rows.rows;
  shape.classes = classes;
  shape.positions = true;
  shape.summary = summary;
  if (summary) {
    rows.summary = eval::summarise(rows.logits.data(), rows.labels.data(), rows.rows, classes, *summary);
    rows.logits.clear();
  }
  eval::LogitShardWriter writer(path, shape, some_origin());
  writer.append(std::move(rows));
  writer.close();
}

/// A file that may be a summary.
inline eval::LogitFile summary_file(const std::string& path) {
  return eval::LogitFile(path, eval::Incomplete::refuse, eval::Compact::refuse, eval::Summary::accept);
}

}  // namespace smoothlab::test
