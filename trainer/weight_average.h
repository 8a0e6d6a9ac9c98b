#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/flat_parameters.h"

namespace smoothlab::trainer {

/// Exponential moving average of the weights and of the network's float buffers (running means and
/// variances): average ← d·average + (1−d)·weight after every step, from the weights at the start. With
/// warm-up d = min(decay, (1+n)/(10+n)) at update n, as TensorFlow's num_updates.
class WeightAverage {
 public:
  /// 0 < decay < 1. `parameters` outlives this.
  WeightAverage(FlatParameters& parameters, double decay, bool warmup);
  WeightAverage(const WeightAverage&) = delete;
  WeightAverage& operator=(const WeightAverage&) = delete;

  void update();
  /// The two halves of it: what changes with the update, on the host and as a scalar on the device; and work
  /// that depends on nothing else, so that a captured graph can repeat it.
  void begin_update();
  void apply();
  /// Exchanges the network's weights and buffers with their averages: once before an evaluation of the
  /// averages, and again after it. Exact in both directions.
  void swap();

  /// float32 [layout().total()]; may be written in place, as a resumed run does.
  const at::Tensor& average() const { return average_; }
  /// Averages of the network's float32 buffers, by the buffers' names; may be written in place.
  const std::vector<std::pair<std::string, at::Tensor>>& buffer_averages() const { return buffer_averages_; }
  int64_t updates() const { return updates_; }
  void set_updates(int64_t updates) { updates_ = updates; }

  /// After FlatParameters::adopt: moves the average along.
  void adopt_layout();

 private:
  FlatParameters& parameters_;
  double decay_;
  bool warmup_;
  cluster::FlatLayout layout_;
  at::Tensor average_;
  std::vector<std::pair<std::string, at::Tensor>> buffer_averages_;
  int64_t updates_ = 0;
  double share_ = 0;            ///< of the coming update: 1 − d
  at::Tensor share_on_device_;  ///< the same, where the average is not on the CPU
};

/// Holds the averages in the network for as long as it lives; no-op for nullptr.
class AveragedWeights {
 public:
  explicit AveragedWeights(WeightAverage* average) : average_(average) {
    if (average_ != nullptr) average_->swap();
  }
  ~AveragedWeights() {
    if (average_ != nullptr) average_->swap();
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
};

}  // namespace smoothlab::trainer
