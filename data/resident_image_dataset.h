#pragma once

#include <memory>
#include <vector>

#include "cluster/side_stream.h"
#include "data/batch_augmentation.h"
#include "data/image_dataset.h"

namespace smoothlab::data {

/// An ImageDataset with a copy of its images on a device, where collate() augments them: only a small table
/// of random numbers and the labels travel for each batch. Inputs have the bits of ImageDataset's.
class ResidentImageDataset : public ImageDataset {
 public:
  /// Copies the images of the split to the device. Throws EnvironmentError where it is not there or has no
  /// room for source.resident_bytes().
  ResidentImageDataset(const ImageDataset& source, c10::Device device);

  /// The inputs come on the device's current stream.
  Batch collate(const std::vector<SampleAddress>& samples, Augment augment) const override;

 private:
  BatchAugmentation batches_;
  at::Tensor store_;
  cluster::SideStream::Ready ready_;
};

}  // namespace smoothlab::data
