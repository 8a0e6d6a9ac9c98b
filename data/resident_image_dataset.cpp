#include "data/resident_image_dataset.h"

namespace smoothlab::data {

ResidentImageDataset::ResidentImageDataset(const ImageDataset& source, c10::Device device)
    : ImageDataset(source), batches_(augmentation(), channels_last()) {
  ready_ = cluster::SideStream(device).run([&] {
    store_ = batches_.make_store(pixels(), size(), device);
    return std::vector<at::Tensor>{store_};
  });
}

Batch ResidentImageDataset::collate(const std::vector<SampleAddress>& samples, Augment augment) const {
  Batch batch = labelled(samples);
  ready_.wait();
  batch.inputs = {batches_.apply(store_, pixels(), samples, augment)};
  return batch;
}

}  // namespace smoothlab::data
