#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::data {

/// A sample of one epoch: with the seed, the whole address of its augmentation.
struct SampleAddress {
  int64_t sample = 0;  ///< index in the split
  int64_t epoch = 0;
};

/// What a network gets, and what its rows mean. Images: one input tensor [B, C, H, W] float32, a row each.
struct Batch {
  std::vector<at::Tensor> inputs;
  at::Tensor labels;      ///< int64 [R]
  at::Tensor sample_ids;  ///< int64 [R], index in the split
  at::Tensor positions;   ///< int32 [R] for text, undefined for images
  int64_t rows() const { return labels.defined() ? labels.size(0) : 0; }
};

enum class Augment { training, none };

/// One split of a data set, ready to be collated. Thread-safe: collate() is called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual int64_t classes() const = 0;
  virtual std::vector<std::string> class_names() const = 0;
  /// Rows that a sample yields: 1 for images.
  virtual int64_t rows(int64_t sample) const = 0;
  /// Number of rows of each class, for unigram smoothing: int64 [K].
  virtual at::Tensor class_counts() const = 0;
  /// Shape of one input without the batch dimension, after augmentation: [C, H, W].
  virtual std::vector<int64_t> input_shape() const = 0;
  /// Loads, augments and stacks. With Augment::none epoch does not matter.
  virtual Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const = 0;
};

}  // namespace smoothlab::data
