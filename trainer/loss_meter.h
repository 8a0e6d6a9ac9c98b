#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "cluster/communicator.h"
#include "trainer/training_state.h"

namespace smoothlab::trainer {

/// Sums loss and hits of this rank's rows between two lines of metrics. Sums stay on the device until someone
/// asks, so that a step need not wait for it.
class LossMeter {
 public:
  /// loss_sum: scalar, Σ over the micro-batch's rows. logits: [R, K]; labels, sample_ids: [R], R ≥ 1;
  /// sample_ids on the CPU.
  void add(const at::Tensor& loss_sum, const at::Tensor& logits, const at::Tensor& labels,
           const at::Tensor& sample_ids, int64_t step);
  /// The two halves of it: what the host knows of a micro-batch; and work on the device of its figures, which
  /// a captured graph can repeat once it has been done outside of one.
  void note(const at::Tensor& sample_ids, int64_t step);
  void accumulate(const at::Tensor& loss_sum, const at::Tensor& logits, const at::Tensor& labels);
  /// hits: scalar int64, rows whose greatest logit is their label's.
  void accumulate(const at::Tensor& loss_sum, const at::Tensor& hits);

  /// Brings what was added into the window. Throws RunError, which names step and first sample, where a loss
  /// is not finite.
  void settle();
  /// The sums so far, settled.
  const MetricWindow& window();
  void set_window(const MetricWindow& window) { window_ = window; }

 private:
  struct Note {
    int64_t rows = 0, step = 0, first_sample = 0;
  };
  std::vector<Note> notes_;  ///< of what the sums hold
  /// float64 [4] on the device: loss, hits, micro-batches, and the number of the first whose loss is not
  /// finite, -1 while all are.
  at::Tensor sums_;
  MetricWindow window_;
};

/// The windows of all ranks, by rank. Collective.
std::vector<MetricWindow> gather_windows(cluster::Communicator& communicator, const MetricWindow& own);
/// Their sum, in the order of ranks.
MetricWindow sum_of(const std::vector<MetricWindow>& windows);

}  // namespace smoothlab::trainer
