#include "data/batch_augmentation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "cluster/side_stream.h"

namespace smoothlab::data {

/// All that the device is told of a batch, in one tensor of 8-byte entries, so that it takes one copy.
struct BatchAugmentation::Table {
  int64_t batch, height, width, channels;
  at::Tensor entries;

  Table(int64_t b, int64_t h, int64_t w, int64_t c)
      : batch(b), height(h), width(w), channels(c), entries(at::empty({b * (h + w + c)}, at::kLong)) {}
  /// int64 [B, h, 1]: first pixel, in the store, of the line that each row comes from.
  at::Tensor rows() const { return entries.narrow(0, 0, batch * height).view({batch, height, 1}); }
  /// int64 [B, 1, w]: where in its line each column comes from.
  at::Tensor columns() const {
    return entries.narrow(0, batch * height, batch * width).view({batch, 1, width});
  }
  /// float32 [2, B, C, 1, 1]: scale and offset.
  at::Tensor tones() const {
    return entries.narrow(0, batch * (height + width), batch * channels)
        .view(at::kFloat)
        .view({2, batch, channels, 1, 1});
  }
};

BatchAugmentation::BatchAugmentation(const Augmentation& augmentation, bool channels_last)
    : augmentation_(augmentation), channels_last_(channels_last) {}

int64_t BatchAugmentation::store_bytes(int64_t images) const {
  return images * (augmentation_.height() + 1) * (augmentation_.width() + 1) * augmentation_.channels();
}

at::Tensor BatchAugmentation::make_store(const uint8_t* images, int64_t count, c10::Device device) const {
  constexpr int64_t images_a_copy = 4096;
  const int64_t height = augmentation_.height(), width = augmentation_.width(),
                channels = augmentation_.channels();
  const auto bytes = at::TensorOptions().dtype(at::kByte);
  const at::Tensor store = at::zeros({count, height + 1, width + 1, channels}, bytes.device(device));
  // Piece by piece, because a copy into part of the rows goes through as much memory again.
  for (int64_t first = 0; first < count; first += images_a_copy) {
    const int64_t some = std::min(images_a_copy, count - first);
    uint8_t* piece = const_cast<uint8_t*>(images) + first * height * width * channels;
    store.narrow(0, first, some)
        .narrow(1, 0, height)
        .narrow(2, 0, width)
        .copy_(at::from_blob(piece, {some, height, width, channels}, bytes));
  }
  return store;
}

BatchAugmentation::Table BatchAugmentation::draw(const uint8_t* images,
                                                 const std::vector<SampleAddress>& samples,
                                                 Augment augment) const {
  const int64_t lines = augmentation_.height() + 1, line = augmentation_.width() + 1;
  Table table(static_cast<int64_t>(samples.size()), augmentation_.out_height(), augmentation_.out_width(),
              augmentation_.channels());
  int64_t* rows = table.rows().data_ptr<int64_t>();
  int64_t* columns = table.columns().data_ptr<int64_t>();
  float* scale = table.tones().data_ptr<float>();
  float* offset = scale + table.batch * table.channels;
  const int64_t image_bytes = augmentation_.height() * augmentation_.width() * table.channels;
  for (const SampleAddress& address : samples) {
    const Augmentation::Variation varied = augmentation_.variation(address, augment);
    augmentation_.sources(varied.geometry, rows, columns);
    for (int64_t y = 0; y < table.height; ++y, ++rows)
      *rows = (address.sample * lines + (*rows < 0 ? lines - 1 : *rows)) * line;
    for (int64_t x = 0; x < table.width; ++x, ++columns)
      if (*columns < 0) *columns = line - 1;
    const Augmentation::Affine affine = augmentation_.tone(images + address.sample * image_bytes, varied);
    for (int64_t c = 0; c < table.channels; ++c) {
      *scale++ = static_cast<float>(affine.scale[c]);
      *offset++ = static_cast<float>(affine.offset[c]);
    }
  }
  return table;
}

at::Tensor BatchAugmentation::apply(const at::Tensor& store, const uint8_t* images,
                                    const std::vector<SampleAddress>& samples, Augment augment) const {
  Table table = draw(images, samples, augment);
  at::Tensor out =
      at::empty({table.batch, table.channels, table.height, table.width}, store.options().dtype(at::kFloat),
                channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  if (table.batch == 0) return out;
  table.entries = cluster::upload(table.entries, store.device());
  const at::Tensor places = table.rows().add(table.columns()).view({-1});
  const at::Tensor patches = store.view({-1, table.channels})
                                 .index_select(0, places)
                                 .view({table.batch, table.height, table.width, table.channels});
  const at::Tensor tones = table.tones();
  at::mul_out(out, patches.permute({0, 3, 1, 2}), tones.select(0, 0));
  return out.add_(tones.select(0, 1));
}

}  // namespace smoothlab::data
