#include "data/batch_feed.h"

#include <ATen/ATen.h>

#include <utility>

namespace smoothlab::data {

BatchFeed::BatchFeed(std::shared_ptr<const Dataset> dataset, c10::Device device, at::ScalarType type)
    : dataset_(std::move(dataset)), type_(type), side_(device) {}

FedBatch BatchFeed::make(const std::vector<SampleAddress>& samples, Augment augment,
                         const CompanionRows* companion) const {
  FedBatch fed;
  fed.ready = side_.run([&] {
    fed.batch = dataset_->collate(samples, augment);
    if (companion) fed.batch.companion = companion->rows(samples);
    return deliver(fed.batch);
  });
  return fed;
}

/// Returns all that is on the device then.
std::vector<at::Tensor> BatchFeed::deliver(Batch& batch) const {
  std::vector<at::Tensor> delivered;
  for (at::Tensor& input : batch.inputs) {
    if (input.device().is_cpu()) input = cluster::upload(input, side_.device());
    if (input.is_floating_point()) input = input.to(type_);
    delivered.push_back(input);
  }
  if (side_.device().is_cpu()) return delivered;
  batch.device_labels = cluster::upload(batch.labels, side_.device());
  delivered.push_back(batch.device_labels);
  if (batch.companion.defined()) {
    batch.companion = cluster::upload(batch.companion, side_.device());
    delivered.push_back(batch.companion);
  }
  return delivered;
}

}  // namespace smoothlab::data
