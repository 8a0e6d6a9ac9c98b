#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "data/labelled_images.h"

namespace smoothlab::data {

/// A run of samples [first, first + count) of a set of images, seen through an augmentation.
/// Batch::inputs is one float32 tensor [B, C, H, W]; with channels_last its strides are those of
/// MemoryFormat::ChannelsLast.
class ImageDataset : public Dataset {
 public:
  ImageDataset(std::shared_ptr<const LabelledImages> images, int64_t first, int64_t count,
               const AugmentOptions& augment, uint64_t seed, bool channels_last);

  int64_t size() const override { return count_; }
  int64_t classes() const override { return images_->classes(); }
  std::vector<std::string> class_names() const override { return images_->class_names; }
  int64_t rows(int64_t) const override { return 1; }
  std::string fingerprint() const override;
  at::Tensor labels() const override;
  at::Tensor class_counts() const override;
  std::vector<int64_t> input_shape() const override;
  /// Throws UsageError for a sample outside the split.
  Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const override;
  int64_t resident_bytes() const override;
  std::shared_ptr<const Dataset> resident(c10::Device device) const override;

 protected:
  const Augmentation& augmentation() const { return augmentation_; }
  bool channels_last() const { return channels_last_; }
  /// Of the split's first image; the others follow.
  const uint8_t* pixels() const { return images_->image(first_); }
  /// All of a batch but its inputs.
  Batch labelled(const std::vector<SampleAddress>& samples) const;

 private:
  std::shared_ptr<const LabelledImages> images_;
  int64_t first_, count_;
  Augmentation augmentation_;
  bool channels_last_;
  struct Fingerprint {
    std::once_flag once;
    std::string text;
  };
  std::shared_ptr<Fingerprint> fingerprint_ = std::make_shared<Fingerprint>();  ///< of copies too
};

}  // namespace smoothlab::data
