#include "data/augmentation_draws.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

/// Epochs count up from 0 and are below 2^32; draws count down from there.
constexpr int64_t last_epoch = (int64_t{1} << 32) - 1;

}  // namespace

AugmentationDraws::AugmentationDraws(std::shared_ptr<const Dataset> split, std::vector<int64_t> samples,
                                     int64_t draws, DrawsOf which)
    : split_(std::move(split)), samples_(std::move(samples)), draws_(draws), which_(which) {
  for (const int64_t sample : samples_)
    if (sample < 0 || sample >= split_->size())
      throw UsageError(fmt::format("there is no sample {} in a split of {}", sample, split_->size()),
                       "augmentation draws", "choose samples of the split");
}

SampleAddress AugmentationDraws::address(int64_t item) const {
  const int64_t draw = item % draws_;
  return {samples_.at(static_cast<size_t>(item / draws_)),
          which_ == DrawsOf::first_epochs ? draw : last_epoch - draw};
}

at::Tensor AugmentationDraws::labels() const {
  const at::Tensor of_split = split_->labels();
  at::Tensor labels = at::empty({size()}, at::kLong);
  for (int64_t item = 0; item < size(); ++item)
    labels.data_ptr<int64_t>()[item] = of_split.data_ptr<int64_t>()[address(item).sample];
  return labels;
}

at::Tensor AugmentationDraws::class_counts() const {
  return at::bincount(labels(), {}, classes());
}

Batch AugmentationDraws::collate(const std::vector<SampleAddress>& items, Augment /*augment*/) const {
  std::vector<SampleAddress> addresses;
  addresses.reserve(items.size());
  for (const SampleAddress& item : items) addresses.push_back(address(item.sample));
  return split_->collate(addresses, Augment::training);
}

std::shared_ptr<const Dataset> first_epochs_of(std::shared_ptr<const Dataset> split, int64_t draws) {
  std::vector<int64_t> samples(static_cast<size_t>(split->size()));
  std::iota(samples.begin(), samples.end(), 0);
  return std::make_shared<AugmentationDraws>(std::move(split), std::move(samples), draws,
                                             DrawsOf::first_epochs);
}

std::vector<int64_t> first_of_classes(const Dataset& split, const std::vector<int64_t>& classes,
                                      int64_t count) {
  const at::Tensor labels = split.labels();
  if (!labels.defined())
    throw UsageError("the samples of this task have no classes of their own", "information.classes",
                     "leave it out");
  std::vector<int64_t> found(classes.size(), 0), samples;
  for (int64_t sample = 0; sample < split.size(); ++sample) {
    const auto at = std::find(classes.begin(), classes.end(), labels.data_ptr<int64_t>()[sample]);
    if (at == classes.end() || found[static_cast<size_t>(at - classes.begin())]++ >= count) continue;
    samples.push_back(sample);
  }
  for (size_t c = 0; c < classes.size(); ++c)
    if (found[c] < count)
      throw UsageError(fmt::format("the training split has {} samples of class '{}', not {}", found[c],
                                   split.class_names()[static_cast<size_t>(classes[c])], count),
                       "information.examples", fmt::format("give at most {}", found[c]));
  return samples;
}

}  // namespace smoothlab::data
