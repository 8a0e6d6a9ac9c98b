#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "cluster/communicator.h"
#include "models/network.h"
#include "models/weights.h"

namespace smoothlab::trainer {

// Batch normalisation's running means and variances. Each rank keeps its own, fed by its own rows; what is
// evaluated and saved is their mean over ranks, and taking the mean leaves the ranks' own as they are, so
// that neither an evaluation nor a checkpoint changes how the run goes on.

using models::NamedTensors;

/// The network's buffers as they are, not copies.
NamedTensors buffers_of(models::Network& network);

/// Values of all ranks, float32 [ranks, n] on the CPU, the tensors' elements end to end. Collective, unless
/// there is nothing to gather.
at::Tensor gather_statistics(cluster::Communicator& communicator, const NamedTensors& own);

/// Mean over the ranks that see rows, in double and in the order of ranks: float32 [n]. A rank whose slice of
/// every batch is empty would only bring in its initial values. ranks_with_rows: 1 or 0 by rank.
at::Tensor mean_statistics(const at::Tensor& gathered, const std::vector<bool>& ranks_with_rows);

/// Slices of `values` [n], with the names and shapes of `like`.
NamedTensors named_slices(const at::Tensor& values, const NamedTensors& like);

/// Which ranks get rows of a global batch.
std::vector<bool> ranks_with_rows(int64_t global_batch, int ranks);

/// Holds the mean over ranks in the network's buffers for as long as it lives. Collective when made.
class MeanStatistics {
 public:
  MeanStatistics(cluster::Communicator& communicator, models::Network& network,
                 const std::vector<bool>& ranks_with_rows);
  ~MeanStatistics();
  MeanStatistics(const MeanStatistics&) = delete;
  MeanStatistics& operator=(const MeanStatistics&) = delete;

 private:
  NamedTensors buffers_;
  std::vector<at::Tensor> own_;
};

}  // namespace smoothlab::trainer
