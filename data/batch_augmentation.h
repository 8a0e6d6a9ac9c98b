#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "data/augmentation.h"

namespace smoothlab::data {

/// Augmentation of whole batches on any device, by tensor operations on images that are there already. The
/// host draws for each sample the numbers of Augmentation::apply() and works out scale and offset, for which
/// it sums over its own copy of the image where need be (under a microsecond for a small one); it sends them
/// in one small table.
///
/// The result has the bits of apply(): a pixel is converted exactly, multiplied once and added to once, in
/// float32. Both are operations of their own, because one that does both may round only once.
class BatchAugmentation {
 public:
  BatchAugmentation(const Augmentation& augmentation, bool channels_last);

  /// Bytes of a store of so many images.
  int64_t store_bytes(int64_t images) const;
  /// Images as apply() finds them: uint8 [N, H+1, W+1, C] on `device`, with a row of zeros below and a column
  /// of zeros to the right, where all pixels come from that lie outside. images: uint8 [N, H, W, C] on the
  /// CPU.
  at::Tensor make_store(const uint8_t* images, int64_t count, c10::Device device) const;

  /// Augments the images that `samples` name: float32 [B, C, h, w] on the store's device, with the strides of
  /// MemoryFormat::ChannelsLast if so wanted. images: what the store was made of. Works on the current
  /// stream; the host does not wait for it.
  at::Tensor apply(const at::Tensor& store, const uint8_t* images, const std::vector<SampleAddress>& samples,
                   Augment augment) const;

 private:
  struct Table;
  Table draw(const uint8_t* images, const std::vector<SampleAddress>& samples, Augment augment) const;

  Augmentation augmentation_;
  bool channels_last_;
};

}  // namespace smoothlab::data
