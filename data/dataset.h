#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/sentence_pairs.h"

namespace smoothlab::data {

class DamagedImages;

/// A sample of one epoch: with the seed, the whole address of its augmentation.
struct SampleAddress {
  int64_t sample = 0;  ///< index in the split
  int64_t epoch = 0;
};

/// What a network gets, and what its rows mean. Images: one input tensor [B, C, H, W] float32, a row each.
/// Text: packed tokens without padding, {source int64 [S], its offsets int64 [B+1], target int64 [R], its
/// offsets int64 [B+1]}; a row each target token, labelled with the one after it. All but inputs and
/// device_labels is on the CPU.
struct Batch {
  std::vector<at::Tensor> inputs;
  at::Tensor labels;         ///< int64 [R]
  at::Tensor device_labels;  ///< the labels where the inputs are; undefined where that is the CPU
  at::Tensor sample_ids;     ///< int64 [R], index in the split
  at::Tensor positions;      ///< int32 [R] for text, undefined for images
  int64_t stand_ins = 0;     ///< samples that cannot be read, in whose place others are
  at::Tensor companion;      ///< float32 [R, W] where the inputs are: rows of a CompanionRows; or undefined
  /// The labels where a stream has brought the inputs.
  const at::Tensor& labels_with_inputs() const { return device_labels.defined() ? device_labels : labels; }
  int64_t rows() const { return labels.defined() ? labels.size(0) : 0; }
};

enum class Augment { training, none };

/// Rows of numbers that are known of samples beforehand, beside what their data set says of them: what
/// another network makes of them, for one. Thread-safe.
class CompanionRows {
 public:
  virtual ~CompanionRows() = default;
  /// float32 [R, W] on the CPU, in the order of the samples' rows.
  virtual at::Tensor rows(const std::vector<SampleAddress>& samples) const = 0;
};

/// One split of a data set, ready to be collated. Thread-safe: collate() is called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual int64_t classes() const = 0;
  virtual std::vector<std::string> class_names() const = 0;
  /// Hex SHA-256 of the split's samples and labels as they are before augmentation; empty where it is not
  /// known. The first call reads all of them.
  virtual std::string fingerprint() const { return ""; }
  /// Label of each sample, int64 [size()]; undefined where samples yield several rows.
  virtual at::Tensor labels() const { return {}; }
  /// Rows that a sample yields: 1 for images, for text the target's tokens and its end.
  virtual int64_t rows(int64_t sample) const = 0;
  /// Length of a sample in a padded batch: 1 for images, for text that of the longer side with its end.
  virtual int64_t tokens(int64_t /*sample*/) const { return 1; }
  /// Number of rows of each class, for unigram smoothing: int64 [K].
  virtual at::Tensor class_counts() const = 0;
  /// Shape of one input without the batch dimension, after augmentation: [C, H, W]; empty for text.
  virtual std::vector<int64_t> input_shape() const = 0;
  /// What the tokens of a text are of; null for images.
  virtual const TextVocabularies* vocabularies() const { return nullptr; }
  /// Whether loading a sample takes long enough for several threads to be of use.
  virtual bool slow_to_load() const { return false; }
  /// Which samples collate() has found damaged; null where none can be.
  virtual DamagedImages* damaged_images() const { return nullptr; }
  /// Loads, augments and stacks. With Augment::none epoch does not matter.
  virtual Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const = 0;
  /// Bytes that resident() takes of a device; 0 for a set that cannot be kept on one.
  virtual int64_t resident_bytes() const { return 0; }
  /// The same split with its samples kept on `device`, where its collate() works on the current stream and
  /// leaves the inputs, bit for bit those of this one. Null where resident_bytes() is 0. Throws
  /// EnvironmentError where the device has no room.
  virtual std::shared_ptr<const Dataset> resident(c10::Device /*device*/) const { return nullptr; }
};

}  // namespace smoothlab::data
