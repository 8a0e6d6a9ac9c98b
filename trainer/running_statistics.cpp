#include "trainer/running_statistics.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "trainer/run_parts.h"

namespace smoothlab::trainer {

NamedTensors buffers_of(models::Network& network) {
  NamedTensors buffers;
  for (auto& buffer : network.buffers()) buffers.emplace_back(buffer.name, buffer.value);
  return buffers;
}

at::Tensor gather_statistics(cluster::Communicator& communicator, const NamedTensors& own) {
  const c10::NoGradGuard no_grad;
  if (own.empty()) return at::empty({communicator.size(), 0}, at::kFloat);
  std::vector<at::Tensor> flat;
  flat.reserve(own.size());
  for (const auto& entry : own) flat.push_back(entry.second.reshape({-1}));
  const at::Tensor mine = at::cat(flat).to(at::kCPU, at::kFloat).reshape({1, -1});
  return communicator.size() == 1 ? mine : communicator.allgather(mine);
}

at::Tensor mean_statistics(const at::Tensor& gathered, const std::vector<bool>& with_rows) {
  const c10::NoGradGuard no_grad;
  at::Tensor sum = at::zeros({gathered.size(1)}, at::kDouble);
  int64_t ranks = 0;
  for (int64_t rank = 0; rank < gathered.size(0); ++rank) {
    if (!with_rows[static_cast<size_t>(rank)]) continue;
    sum += gathered[rank];
    ++ranks;
  }
  return (sum / static_cast<double>(ranks)).to(at::kFloat);
}

NamedTensors named_slices(const at::Tensor& values, const NamedTensors& like) {
  NamedTensors slices;
  int64_t offset = 0;
  for (const auto& [name, tensor] : like) {
    slices.emplace_back(name, values.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
  return slices;
}

std::vector<bool> ranks_with_rows(int64_t global_batch, int ranks) {
  std::vector<bool> result;
  result.reserve(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) result.push_back(rank_batch(global_batch, ranks, rank) > 0);
  return result;
}

MeanStatistics::MeanStatistics(cluster::Communicator& communicator, models::Network& network,
                               const std::vector<bool>& with_rows) {
  if (communicator.size() == 1) return;
  const c10::NoGradGuard no_grad;
  buffers_ = buffers_of(network);
  const NamedTensors means =
      named_slices(mean_statistics(gather_statistics(communicator, buffers_), with_rows), buffers_);
  for (size_t i = 0; i < buffers_.size(); ++i) {
    own_.push_back(buffers_[i].second.clone());
    buffers_[i].second.copy_(means[i].second);
  }
}

MeanStatistics::~MeanStatistics() {
  const c10::NoGradGuard no_grad;
  for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].second.copy_(own_[i]);
}

}  // namespace smoothlab::trainer
