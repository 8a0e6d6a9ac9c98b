#pragma once

#include <cstdint>
#include <string>

#include "eval/logit_file.h"
#include "eval/real_labels.h"

namespace smoothlab::eval {

/// How often the top prediction is one of an image's ReaL labels.
struct RealAccuracy {
  int64_t images = 0;    ///< that count: those with at least one such label
  int64_t correct = 0;   ///< those of which the prediction is one
  int64_t agreeing = 0;  ///< those of which the file's own label is one, 0.9 of them for ImageNet's
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(images); }
  /// What is likely wrong where less than half of the file's own labels are among them; else empty.
  std::string doubt() const;
};

/// Throws DataError naming `where` unless these are rows that the labels are of: split `test` of task
/// `imagenet` (empty: not stated, which may be), as many images as the labels have, and all their classes
/// among the first 1000.
void require_real_split(const RealLabels& labels, const std::string& task, const std::string& split,
                        int64_t images, int64_t classes, const std::string& where);

/// Judges a file's rows by their sample ids, each image once. Of equal logits the lowest class is the
/// prediction. A summary will do; one rank's shard is judged by the images that it has. Throws DataError:
/// rows of something else, images that are missing or there twice, none that counts, what logit_chunks.h
/// names.
RealAccuracy real_accuracy(const LogitFile& file, const RealLabels& labels, int threads);

}  // namespace smoothlab::eval
