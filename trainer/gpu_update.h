#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <vector>

#include "trainer/optimizer_kernels.h"

namespace smoothlab::trainer {

/// An optimiser's work on a CUDA device: all segments in one launch, and all that changes from step to step
/// in device memory, so that a captured launch can be repeated. The same arithmetic as on the CPU, in
/// float32.
class GpuUpdate {
 public:
  GpuUpdate(c10::Device device, const std::vector<Segment>& segments);

  /// Brings the factors of the coming step to the device, in order with the current stream's work. Costs a
  /// launch for each that has changed.
  void set(const StepFactors& factors);
  /// On the current stream.
  void apply(const FlatUpdate& all, const MomentumRule& rule) const;
  void apply(const FlatUpdate& all, const AdamRule& rule) const;
  void apply(const FlatUpdate& all, const RmspropRule& rule) const;

 private:
  at::Tensor chunks_;   ///< uint8: GpuChunk each (gpu_update_kernels.h)
  at::Tensor factors_;  ///< float32 [3]: lr, 1/correction1, 1/√correction2
  StepFactors last_;
};

}  // namespace smoothlab::trainer
