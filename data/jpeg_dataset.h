#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/damaged_images.h"
#include "data/dataset.h"
#include "data/image_archive.h"
#include "data/jpeg_augmentation.h"

namespace smoothlab::data {

/// What a JpegDataset shows of an archive, and how.
struct JpegDatasetOptions {
  std::vector<int64_t> images;  ///< of the archive, in the order of the split's samples
  JpegAugmentOptions augment;
  uint64_t seed = 1;       ///< of the augmentation
  uint64_t data_seed = 1;  ///< of the choice of stand-ins
  double damaged = 0.001;  ///< share of images that may be
  bool channels_last = false;
};

/// A split of JPEG images that are read and decoded whenever they are wanted. Batch::inputs is one float32
/// tensor [B, 3, H, W]; with channels_last its strides are those of MemoryFormat::ChannelsLast.
///
/// Where an image cannot be decoded, another one of its class stands in, augmented by the damaged one's
/// random numbers; labels and counts stay what they are. The stand-in is a matter of (data_seed, sample), and
/// of which images can be decoded. Since an image may be damaged below the rows that one crop needs and
/// another does not, each crop is tried anew: what a sample looks like in an epoch depends on nothing that
/// was seen before.
class JpegDataset final : public Dataset {
 public:
  /// Throws UsageError for options that make no sense.
  JpegDataset(std::shared_ptr<const ImageArchive> archive, JpegDatasetOptions options);

  int64_t size() const override { return static_cast<int64_t>(options_.images.size()); }
  int64_t classes() const override { return archive_->classes(); }
  std::vector<std::string> class_names() const override { return archive_->class_names(); }
  int64_t rows(int64_t) const override { return 1; }
  /// Of the index's digest, and of which of its images are in the split where not all are.
  std::string fingerprint() const override;
  at::Tensor labels() const override;
  at::Tensor class_counts() const override;
  std::vector<int64_t> input_shape() const override;
  bool slow_to_load() const override { return true; }
  DamagedImages* damaged_images() const override { return &damaged_; }
  /// Throws UsageError for a sample outside the split; DataError where a file cannot be read, where too many
  /// images are damaged, and where no image of a damaged one's class can be decoded.
  Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const override;

 private:
  struct Scratch;
  int64_t label(int64_t sample) const { return archive_->label(options_.images[at(sample)]); }
  size_t at(int64_t sample) const;
  /// Whether it is the sample itself that was loaded, and no stand-in.
  bool load(const SampleAddress& address, Augment augment, Scratch& scratch, float* out) const;
  /// Why it cannot be decoded; empty where it was.
  std::string decode(int64_t sample, const SampleAddress& address, Augment augment, Scratch& scratch,
                     float* out) const;
  /// The samples of a class, from a place on that the damaged one decides.
  std::vector<int64_t> stand_ins(int64_t sample) const;

  std::shared_ptr<const ImageArchive> archive_;
  JpegDatasetOptions options_;
  JpegAugmentation augmentation_;
  mutable DamagedImages damaged_;
  mutable std::once_flag sorted_;
  mutable std::vector<std::vector<int64_t>> of_class_;  ///< samples; filled when the first is damaged
};

}  // namespace smoothlab::data
