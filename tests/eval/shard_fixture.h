#pragma once

#include <string>
#include <vector>

#include "eval/logit_file.h"
#include "foreign_file.h"

namespace smoothlab::test {

/// Rows [first, first + count) of an imaginary split, with values that name them.
inline eval::LogitRows rows_of_split(const eval::LogitShape& shape, int64_t first, int64_t count) {
  eval::LogitRows rows;
  rows.rows = count;
  rows.logits = exact_logits(first, count, shape.classes);
  if (shape.penultimate > 0) rows.penultimate = exact_logits(first + 1000000, count, shape.penultimate);
  rows.labels = exact_labels(first, count, shape.classes);
  for (int64_t r = first; r < first + count; ++r) {
    rows.sample_ids.push_back(r);
    if (shape.positions) rows.positions.push_back(static_cast<int32_t>(r % 5));
  }
  return rows;
}

inline eval::LogitOrigin some_origin() {
  eval::LogitOrigin origin;
  origin.task = "cifar10";
  origin.split = "test";
  origin.model = "resnet56";
  origin.step = 64000;
  origin.alpha = 0.05;
  origin.convention = "uniform";
  origin.recipe = "model: {name: resnet56}\n# α\n";
  origin.recipe_hash = "c0ffee";
  origin.code_version = "0.1.0";
  return origin;
}

/// Writes rows [first, first + shape.rows) as one shard, in batches of `batch`.
inline void write_shard(const std::string& path, const eval::LogitShape& shape, int64_t first, int64_t batch,
                        bool templates = false) {
  eval::LogitShardWriter writer(path, shape, some_origin());
  if (templates) {
    const int64_t width = shape.penultimate > 0 ? shape.penultimate : 3;
    writer.classifier(exact_logits(0, shape.classes, width), exact_logits(0, 1, shape.classes));
  }
  for (int64_t row = 0; row < shape.rows; row += batch)
    writer.append(rows_of_split(shape, first + row, std::min(batch, shape.rows - row)));
  writer.close();
}

/// Every row of a file is that of the imaginary split.
inline bool holds_split(const eval::LogitFile& file, int64_t first = 0) {
  const int64_t n = file.rows(), classes = file.classes();
  std::vector<float> logits(static_cast<size_t>(n * classes));
  std::vector<int64_t> labels(static_cast<size_t>(n)), ids(labels.size());
  file.read_logits(0, n, logits.data());
  file.read_labels(0, n, labels.data());
  file.read_sample_ids(0, n, ids.data());
  bool good = logits == exact_logits(first, n, classes) && labels == exact_labels(first, n, classes);
  for (int64_t r = 0; r < n; ++r) good = good && ids[static_cast<size_t>(r)] == first + r;
  if (file.penultimate() == 0) return good;
  std::vector<float> activations(static_cast<size_t>(n * file.penultimate()));
  file.read_penultimate(0, n, activations.data());
  return good && activations == exact_logits(first + 1000000, n, file.penultimate());
}

}  // namespace smoothlab::test
