#include "data/image_dataset.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <utility>

#include "cluster/error.h"
#include "data/batch_augmentation.h"
#include "data/digest.h"
#include "data/resident_image_dataset.h"

namespace smoothlab::data {

ImageDataset::ImageDataset(std::shared_ptr<const LabelledImages> images, int64_t first, int64_t count,
                           const AugmentOptions& augment, uint64_t seed, bool channels_last)
    : images_(std::move(images)),
      first_(first),
      count_(count),
      augmentation_(augment, seed, images_->height, images_->width, images_->channels),
      channels_last_(channels_last) {
  if (first < 0 || count < 0 || first + count > images_->size())
    throw UsageError(fmt::format("samples {} to {} of {}", first, first + count, images_->size()),
                     images_->origin, "hold out fewer samples");
}

std::string ImageDataset::fingerprint() const {
  std::call_once(fingerprint_->once, [this] {
    const at::Tensor all = labels();
    const auto image = static_cast<size_t>(images_->height * images_->width * images_->channels);
    fingerprint_->text = sha256({{pixels(), image * static_cast<size_t>(count_)},
                                 {all.data_ptr<int64_t>(), sizeof(int64_t) * static_cast<size_t>(count_)}});
  });
  return fingerprint_->text;
}

at::Tensor ImageDataset::labels() const {
  at::Tensor labels = at::empty({count_}, at::kLong);
  int64_t* label = labels.data_ptr<int64_t>();
  for (int64_t i = 0; i < count_; ++i) label[i] = images_->labels[first_ + i];
  return labels;
}

at::Tensor ImageDataset::class_counts() const {
  at::Tensor counts = at::zeros({classes()}, at::kLong);
  int64_t* count = counts.data_ptr<int64_t>();
  for (int64_t i = 0; i < count_; ++i) ++count[images_->labels[first_ + i]];
  return counts;
}

std::vector<int64_t> ImageDataset::input_shape() const {
  return {images_->channels, augmentation_.out_height(), augmentation_.out_width()};
}

Batch ImageDataset::labelled(const std::vector<SampleAddress>& samples) const {
  const int64_t rows = static_cast<int64_t>(samples.size());
  Batch batch;
  batch.labels = at::empty({rows}, at::kLong);
  batch.sample_ids = at::empty({rows}, at::kLong);
  int64_t* label = batch.labels.data_ptr<int64_t>();
  int64_t* id = batch.sample_ids.data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t sample = samples[row].sample;
    if (sample < 0 || sample >= count_)
      throw UsageError(fmt::format("sample {} of {}", sample, count_), images_->origin,
                       "choose one of the split");
    label[row] = images_->labels[first_ + sample];
    id[row] = sample;
  }
  return batch;
}

Batch ImageDataset::collate(const std::vector<SampleAddress>& samples, Augment augment) const {
  const int64_t rows = static_cast<int64_t>(samples.size());
  const auto format = channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const std::vector<int64_t> shape = input_shape();
  Batch batch = labelled(samples);
  batch.inputs = {
      at::empty({rows, shape[0], shape[1], shape[2]}, at::TensorOptions().dtype(at::kFloat), format)};
  float* out = batch.inputs[0].data_ptr<float>();
  std::vector<uint8_t> scratch;
  for (int64_t row = 0; row < rows; ++row)
    augmentation_.apply(images_->image(first_ + samples[row].sample), samples[row], augment, channels_last_,
                        scratch, out + row * shape[0] * shape[1] * shape[2]);
  return batch;
}

int64_t ImageDataset::resident_bytes() const {
  return BatchAugmentation(augmentation_, channels_last_).store_bytes(count_);
}

std::shared_ptr<const Dataset> ImageDataset::resident(c10::Device device) const {
  return std::make_shared<const ResidentImageDataset>(*this, device);
}

}  // namespace smoothlab::data
