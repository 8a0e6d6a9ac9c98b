#include "data/jpeg_dataset.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "data/digest.h"

namespace smoothlab::data {

struct JpegDataset::Scratch {
  std::vector<uint8_t> file;
  JpegAugmentation::Scratch augmentation;
  std::vector<float> pixels;  ///< [H, W, 3], where the inputs are of another order
};

JpegDataset::JpegDataset(std::shared_ptr<const ImageArchive> archive, JpegDatasetOptions options)
    : archive_(std::move(archive)),
      options_(std::move(options)),
      augmentation_(options_.augment, options_.seed),
      damaged_(archive_->path(), size(), options_.damaged) {}

size_t JpegDataset::at(int64_t sample) const {
  if (sample < 0 || sample >= size())
    throw UsageError(fmt::format("sample {} of {}", sample, size()), archive_->path(),
                     "choose one of the split");
  return static_cast<size_t>(sample);
}

std::string JpegDataset::fingerprint() const {
  const std::string& whole = archive_->fingerprint();
  if (size() == archive_->size()) return whole;
  return sha256(
      {{whole.data(), whole.size()}, {options_.images.data(), sizeof(int64_t) * options_.images.size()}});
}

at::Tensor JpegDataset::labels() const {
  at::Tensor labels = at::empty({size()}, at::kLong);
  int64_t* out = labels.data_ptr<int64_t>();
  for (const int64_t image : options_.images) *out++ = archive_->label(image);
  return labels;
}

at::Tensor JpegDataset::class_counts() const {
  return at::bincount(labels(), {}, classes());
}

std::vector<int64_t> JpegDataset::input_shape() const {
  return {3, augmentation_.out_height(), augmentation_.out_width()};
}

Batch JpegDataset::collate(const std::vector<SampleAddress>& samples, Augment augment) const {
  const int64_t rows = static_cast<int64_t>(samples.size());
  const std::vector<int64_t> shape = input_shape();
  const auto format = options_.channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  Batch batch;
  batch.labels = at::empty({rows}, at::kLong);
  batch.sample_ids = at::empty({rows}, at::kLong);
  batch.inputs = {
      at::empty({rows, shape[0], shape[1], shape[2]}, at::TensorOptions().dtype(at::kFloat), format)};
  float* out = batch.inputs[0].data_ptr<float>();
  Scratch scratch;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t sample = samples[row].sample;
    batch.labels.data_ptr<int64_t>()[row] = label(sample);
    batch.sample_ids.data_ptr<int64_t>()[row] = sample;
    if (!load(samples[row], augment, scratch, out + row * shape[0] * shape[1] * shape[2])) ++batch.stand_ins;
  }
  return batch;
}

bool JpegDataset::load(const SampleAddress& address, Augment augment, Scratch& scratch, float* out) const {
  std::string problem = decode(address.sample, address, augment, scratch, out);
  if (problem.empty()) return true;
  for (const int64_t candidate : stand_ins(address.sample)) {
    const std::string another = decode(candidate, address, augment, scratch, out);
    if (another.empty()) {
      damaged_.add({address.sample, candidate, problem});
      return false;
    }
  }
  throw DataError(fmt::format("no image of class {} can be decoded: {}",
                              archive_->synsets()[static_cast<size_t>(label(address.sample))], problem),
                  archive_->path(), "replace the files");
}

std::string JpegDataset::decode(int64_t sample, const SampleAddress& address, Augment augment,
                                Scratch& scratch, float* out) const {
  const int64_t image = options_.images[at(sample)];
  archive_->read(image, scratch.file);
  const int64_t height = augmentation_.out_height(), width = augmentation_.out_width();
  if (!options_.channels_last) scratch.pixels.resize(static_cast<size_t>(height * width * 3));
  float* pixels = options_.channels_last ? out : scratch.pixels.data();
  try {
    augmentation_.apply(scratch.file.data(), scratch.file.size(), archive_->where(image), address, augment,
                        scratch.augmentation, pixels);
  } catch (const DataError& error) {
    return fmt::format("{} ({})", error.problem(), error.where());
  }
  if (!options_.channels_last)
    for (int64_t channel = 0; channel < 3; ++channel)
      for (int64_t place = 0; place < height * width; ++place) *out++ = pixels[3 * place + channel];
  return "";
}

std::vector<int64_t> JpegDataset::stand_ins(int64_t sample) const {
  std::call_once(sorted_, [this] {
    of_class_.resize(static_cast<size_t>(classes()));
    for (int64_t each = 0; each < size(); ++each) of_class_[static_cast<size_t>(label(each))].push_back(each);
  });
  std::vector<int64_t> others = of_class_[static_cast<size_t>(label(sample))];
  others.erase(std::find(others.begin(), others.end(), sample));
  if (others.empty()) return others;
  const AddressedRandom random(options_.data_seed, Purpose::stand_in, 0, static_cast<uint64_t>(sample));
  std::rotate(others.begin(), others.begin() + static_cast<int64_t>(random.below(others.size(), 0)),
              others.end());
  return others;
}

}  // namespace smoothlab::data
