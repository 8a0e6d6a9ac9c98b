#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <vector>

#include "cluster/side_stream.h"
#include "data/dataset.h"

namespace smoothlab::data {

/// A batch that may still be on its way to the device.
struct FedBatch {
  Batch batch;
  cluster::SideStream::Ready ready;  ///< of what is on the device
};

/// Brings batches of a data set to a device from whichever thread makes them: collated, copied through
/// page-locked memory and cast on a stream of its own, beside what the training thread has put on its stream.
/// On the CPU it only collates.
class BatchFeed {
 public:
  /// type: of the inputs that are floating-point numbers. Throws EnvironmentError for a device that is not
  /// there.
  BatchFeed(std::shared_ptr<const Dataset> dataset, c10::Device device, at::ScalarType type);

  const Dataset& dataset() const { return *dataset_; }
  /// companion: null for none. Thread-safe. Throws what loading throws, EnvironmentError for what the device
  /// reports.
  FedBatch make(const std::vector<SampleAddress>& samples, Augment augment,
                const CompanionRows* companion = nullptr) const;

 private:
  std::vector<at::Tensor> deliver(Batch& batch) const;

  std::shared_ptr<const Dataset> dataset_;
  at::ScalarType type_;
  cluster::SideStream side_;
};

}  // namespace smoothlab::data
