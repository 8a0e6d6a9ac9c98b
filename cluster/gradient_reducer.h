#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/flat_layout.h"

namespace smoothlab::cluster {

struct ReducerOptions {
  int64_t bucket_bytes = 25 << 20;
  int64_t first_bucket_bytes = 1 << 20;  ///< small, so that communication starts early in backward
  /// Gradient-arrival order of an earlier process; empty: settled by the first finished step.
  std::vector<int64_t> order;
  /// Ranks exchange buckets rounded to bf16: half the traffic, 2 more bytes a parameter, and sums that carry
  /// the rounding of each addition. Nothing changes on one rank.
  bool bfloat16 = false;
  /// First gradients of a step wait, and go into the buffer together: before their bucket is sent, or once
  /// they are as much as a bucket. So it is on a GPU in any case, where a launch for each would take longer
  /// than its copy.
  bool copy_together = false;
};

/// Sums gradients over ranks while backward still runs. Gradients live in one flat float32 buffer and, but
/// for those that wait to be copied together, nowhere else: float32 leaves accumulate into views of it,
/// leaves of a lower precision are added to it as they arrive. The buffer is cut into buckets in the order in
/// which gradients arrive; a bucket whose gradients are complete goes out at once, in the same order on every
/// rank.
///
/// A step: begin(false) and backward for every micro-batch but the last, begin(true) and backward for the
/// last, then finish(). Only the last one communicates.
class GradientReducer {
 public:
  /// leaves: the network's leaf tensors that require gradients, in the same order and memory format on all
  /// ranks. Collective: throws RunError on every rank where their sizes, strides or order differ.
  GradientReducer(Communicator& communicator, std::vector<at::Tensor> leaves, const ReducerOptions& options);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  const FlatLayout& layout() const;
  /// float32 [layout().total()]: from finish() until the next begin(), gradients summed over micro-batches
  /// and ranks. Within a step it holds what has arrived so far (and does not wait), and of the rest the last
  /// step's.
  at::Tensor gradients() const;

  /// Bytes of its buffers.
  int64_t bytes() const;

  /// Before each micro-batch's backward. The first call of a step takes the leaves' gradients away; each
  /// leaf's first gradient then overwrites what the buffer held.
  void begin(bool last_micro_batch);
  /// Waits for all buckets. A leaf that got no gradient counts as zero; ranks may differ in which.
  void finish();
  /// After the first finish() of a reducer made without an order: takes on rank 0's arrival order, moves
  /// the gradients, and returns true; the caller then moves what it keeps in the same layout, and
  /// layout() and gradients() are new. Otherwise false.
  bool settle();
  /// Replaces the leaves (same sizes, same order), after the caller has moved its parameters.
  void rebind(std::vector<at::Tensor> leaves);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::cluster
