#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/logit_file.h"

namespace smoothlab::trainer {

/// What a teacher's logits were computed of, beside which samples.
struct ReplayedInputs {
  int64_t draws = 1;      ///< rows of each sample, draw 0 first: the augmentations of its first epochs
  std::string describe;   ///< of the augmentation; empty where inputs are the same in every epoch
  std::string normalize;  ///< task.augment.normalize
};

/// A teacher's logits from a file, keyed by sample and draw. Rows are read when they are asked for, from any
/// thread; in memory are 8 bytes a row, which tell where it stands.
class ReplayedLogits : public data::CompanionRows {
 public:
  /// train: the student's training split. Throws DataError where the file is not of it: a sample that it does
  /// not have or has too few rows of, another label, other classes, task, split or inputs. Reads all labels
  /// and sample ids.
  ReplayedLogits(const std::string& path, const data::Dataset& train, const std::string& task,
                 const ReplayedInputs& inputs);

  /// float32 [R, K]; epoch e of a sample is draw e mod draws. Throws DataError for a logit that is not
  /// finite.
  at::Tensor rows(const std::vector<data::SampleAddress>& samples) const override;

  const eval::LogitFile& file() const { return file_; }

 private:
  void index(const data::Dataset& train);

  eval::LogitFile file_;
  int64_t draws_;
  std::vector<int64_t> rows_;  ///< of (sample, draw), sample by sample
};

}  // namespace smoothlab::trainer
