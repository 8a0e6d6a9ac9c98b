#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/flat_layout.h"
#include "models/network.h"

namespace smoothlab::trainer {

/// Owns a network's parameters as one float32 buffer, the master copy, which optimiser, averages and
/// checkpoints work on. Each models::Parameter.value becomes a leaf that views the master; in a bf16 run
/// those without keep_float32 view a bf16 working copy instead. Bytes a parameter: 4, with bf16 6.
///
/// How a run is put together:
///   FlatParameters parameters(network, at::kBFloat16, device);         // own layout, in network order
///   GradientReducer reducer(communicator, parameters.leaves(), …);
///   parameters.adopt(reducer.layout()); reducer.rebind(parameters.leaves());
///   auto optimizer = make_optimizer(recipe.optimizer, parameters); WeightAverage average(parameters, …);
/// and after each finish():
///   if (reducer.settle()) {
///     parameters.adopt(reducer.layout()); reducer.rebind(parameters.leaves());
///     optimizer->adopt_layout(); average.adopt_layout();
///   }
///   optimizer->step(reducer.gradients(), schedule.factor(step));
class FlatParameters {
 public:
  /// compute_type: float32 or bfloat16. Moves parameters and buffers to the device. The network outlives
  /// this.
  FlatParameters(models::Network& network, c10::ScalarType compute_type, c10::Device device);
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  int64_t count() const { return layout_.tensors(); }
  const models::Parameter& parameter(int64_t index) const { return network_.parameters()[index]; }
  models::Network& network() const { return network_; }
  const cluster::FlatLayout& layout() const { return layout_; }

  /// float32 [layout().total()], gaps zero.
  const at::Tensor& master() const { return master_; }
  /// bf16 [layout().total()], undefined in a float32 run.
  const at::Tensor& working() const { return working_; }
  /// What the network computes with, in network order: leaves that require gradients.
  std::vector<at::Tensor> leaves() const;
  /// Parameter `index` as a view of the master copy, with its shape and strides.
  at::Tensor master_view(int64_t index) const { return layout_.view(master_, index); }

  /// After the master was written by other means than the optimiser: brings the working copy up to date.
  void refresh_working();
  /// Moves everything to another layout of the same tensors and makes new leaves.
  void adopt(const cluster::FlatLayout& layout);

 private:
  void bind();

  models::Network& network_;
  c10::ScalarType compute_type_;
  cluster::FlatLayout layout_;
  at::Tensor master_, working_;
};

/// A flat buffer of one layout, moved to another layout of the same tensors; gaps are zero.
at::Tensor move_flat(const at::Tensor& flat, const cluster::FlatLayout& from, const cluster::FlatLayout& to);

}  // namespace smoothlab::trainer
