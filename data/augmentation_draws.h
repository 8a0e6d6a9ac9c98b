#pragma once

#include <memory>

#include "data/dataset.h"

namespace smoothlab::data {

/// Which draws of the augmentation.
enum class DrawsOf {
  no_epoch,     ///< addressed as epochs that no training comes to, so that none was seen in training
  first_epochs  ///< draw d is what training sees in epoch d
};

/// Some samples of a split, each seen through several draws of the augmentation of training: what the mutual
/// information of an example and a network's output is estimated from (paper Sec. 3.2, fig. 6), and what a
/// teacher is asked about once for many students. Item i is draw i mod draws of samples[i / draws]; its
/// sample id is that of the sample in the split. Draws are the same at every step and rank count.
class AugmentationDraws : public Dataset {
 public:
  /// samples: indices in `split`; draws: 1 … 2^20. Throws UsageError for an index outside the split.
  AugmentationDraws(std::shared_ptr<const Dataset> split, std::vector<int64_t> samples, int64_t draws,
                    DrawsOf which = DrawsOf::no_epoch);

  int64_t size() const override { return static_cast<int64_t>(samples_.size()) * draws_; }
  int64_t classes() const override { return split_->classes(); }
  std::vector<std::string> class_names() const override { return split_->class_names(); }
  int64_t rows(int64_t item) const override { return split_->rows(address(item).sample); }
  at::Tensor class_counts() const override;
  std::vector<int64_t> input_shape() const override { return split_->input_shape(); }
  std::string fingerprint() const override { return split_->fingerprint(); }
  at::Tensor labels() const override;
  bool slow_to_load() const override { return split_->slow_to_load(); }
  DamagedImages* damaged_images() const override { return split_->damaged_images(); }
  /// Augmented as in training whatever is asked for, as that is what the items are.
  Batch collate(const std::vector<SampleAddress>& items, Augment augment) const override;

 private:
  SampleAddress address(int64_t item) const;

  std::shared_ptr<const Dataset> split_;
  std::vector<int64_t> samples_;
  int64_t draws_;
  DrawsOf which_;
};

/// Every sample of a split, each under the draws of its first epochs.
std::shared_ptr<const Dataset> first_epochs_of(std::shared_ptr<const Dataset> split, int64_t draws);

/// The first `count` samples of each of some classes in a split, in the order of the split. Throws UsageError
/// where a class has fewer, naming it, or where the samples of the split have no labels of their own (text).
std::vector<int64_t> first_of_classes(const Dataset& split, const std::vector<int64_t>& classes,
                                      int64_t count);

}  // namespace smoothlab::data
