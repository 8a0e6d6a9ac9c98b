#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/flat_parameters.h"
#include "trainer/gpu_update.h"
#include "trainer/optimizer_kernels.h"
#include "trainer/optimizer_segments.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Updates the master copy from flat gradients, one pass over memory a segment, and refreshes the bf16
/// working copy in the same pass.
class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update. gradients: float32 [layout().total()], summed over ranks. The learning rate is
  /// options.lr · schedule_factor · the group's lr_scale. Clips first where options.clip_norm says so.
  void step(const at::Tensor& gradients, double schedule_factor);
  /// The two halves of it: what changes with the step, on the host and as scalars on the device; and work
  /// that depends on nothing else, so that a captured graph can repeat it.
  void begin_step(double schedule_factor);
  void apply(const at::Tensor& gradients);

  /// State beside the weights, as flat float32 buffers in the parameters' layout; empty for plain SGD.
  /// They may be written in place, as a resumed run does. Names: "momentum", "first_moment",
  /// "second_moment", "mean_square".
  const std::vector<std::pair<std::string, at::Tensor>>& state() const { return state_; }
  /// Updates made so far.
  int64_t steps_taken() const { return steps_taken_; }
  void set_steps_taken(int64_t steps) { steps_taken_ = steps; }

  /// Global L2 norm of the gradients of the last step, before clipping: float32 scalar on the parameters'
  /// device, undefined where nothing is clipped. Reading it may wait for the device.
  const at::Tensor& gradient_norm() const { return gradient_norm_; }

  /// After FlatParameters::adopt: moves the state along.
  void adopt_layout();
  const std::vector<Segment>& segments() const { return segments_; }

 protected:
  Optimizer(const OptimizerOptions& options, FlatParameters& parameters,
            const std::vector<std::string>& state_names);
  /// The rule itself, on all segments.
  virtual void update_all(const FlatUpdate& all) = 0;

  const OptimizerOptions options_;
  FlatParameters& parameters_;
  std::vector<std::pair<std::string, at::Tensor>> state_;

 private:
  cluster::FlatLayout layout_;
  std::vector<Segment> segments_;
  StepFactors factors_;
  std::unique_ptr<GpuUpdate> gpu_;  ///< where the parameters are on CUDA
  at::Tensor gradient_norm_;
  int64_t steps_taken_ = 0;
};

/// Throws as make_segments does. `parameters` outlives the optimiser.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, FlatParameters& parameters);

}  // namespace smoothlab::trainer
