#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/communicator.h"
#include "cluster/device.h"
#include "data/batch_stream.h"
#include "models/network.h"
#include "trainer/checkpoint.h"
#include "trainer/loss_meter.h"
#include "trainer/recipe.h"
#include "trainer/running_statistics.h"
#include "trainer/teacher_network.h"

namespace smoothlab::trainer {

/// What learns: a network with its flat parameters, gradient reduction, optimiser, schedule and averages. It
/// knows steps, not folders, logs or evaluations. Bytes a parameter on each rank: 4 for the master copy, 4
/// for its gradient, which lives in the reducer's buckets and nowhere else, 2 where ranks exchange it in
/// bf16, 2 for a bf16 working copy, 4 a state of the optimiser, 4 for an average.
class Learner {
 public:
  /// train: the split that is learnt from, which outlives this. teacher: who is learnt from beside the
  /// targets, and outlives this; nullptr where there is none or batches bring its logits as their companions.
  /// resume: what to go on from, or nullptr; its files were read on every rank. Collective. Throws UsageError
  /// for a recipe that does not fit the task, DataError for a checkpoint that does not fit the recipe.
  Learner(const Recipe& recipe, const data::Dataset& train, int64_t total_steps,
          cluster::Communicator& communicator, const cluster::Placement& placement,
          const TeacherNetwork* teacher, const Checkpoint* resume);
  ~Learner();
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  /// Step number `step` (0 for the first): forward and backward over this rank's micro-batches, reduction,
  /// clipping, update, average. The loss is train.loss_scale times the mean over the rows of the global
  /// batch, however many its samples have. One step may be captured and then stand for all (train.capture).
  /// next: gives micro-batches up to one that says it is the last. Adds the rows to the meter, the same one
  /// at each call. Collective. Throws RunError where the loss is not finite, on the CPU, unless it repeats
  /// steps, before anything changes.
  void step(int64_t step, const std::function<data::MicroBatch()>& next, LossMeter& meter);

  /// L2 norm of the last step's gradient, over all ranks, before clipping. Waits for the device.
  double gradient_norm() const;
  /// Before the groups' factors.
  double learning_rate(int64_t step) const;

  /// Everything but steps, times and windows, in copies on the CPU. Collective; the tensors are there on rank
  /// 0 only. Throws RunError, on every rank, where a weight is not finite: such a checkpoint would be of no
  /// use and would push out one that is.
  Checkpoint snapshot(int64_t step) const;

  /// Puts averages (of the weights where they are kept, of running statistics over ranks) into the network
  /// while `work` runs. Collective.
  void with_averages(const std::function<void()>& work);

  models::Network& network();
  /// Bytes of parameters, gradients, optimiser state and averages on this rank.
  int64_t state_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smoothlab::trainer
