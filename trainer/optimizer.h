#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/flat_parameters.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

struct UpdateSlice;

/// A range of the flat buffers whose elements are all updated alike: neighbours with the same learning-rate
/// scale and weight decay, the gaps between them included.
struct Segment {
  int64_t begin = 0, end = 0;
  double lr_scale = 1;
  double weight_decay = 0;
};

/// Updates the master copy from flat gradients, one pass over memory a segment, and refreshes the bf16
/// working copy in the same pass.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update. gradients: float32 [layout().total()], summed over ranks. The learning rate is
  /// options.lr · schedule_factor · the group's lr_scale. Clips first where options.clip_norm says so.
  void step(const at::Tensor& gradients, double schedule_factor);

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
  /// The rule itself, on the slices of one segment; step: 1 for the first.
  virtual void update_slice(const UpdateSlice& slice, const Segment& segment, int64_t step) = 0;
  static at::Tensor part(const at::Tensor& flat, const Segment& segment);

  const OptimizerOptions options_;
  FlatParameters& parameters_;
  std::vector<std::pair<std::string, at::Tensor>> state_;

 private:
  cluster::FlatLayout layout_;
  std::vector<Segment> segments_;
  at::Tensor gradient_norm_;
  int64_t steps_taken_ = 0;
};

/// Throws UsageError for a group that matches no parameter; the error lists the parameters' names.
/// options.weight_decay goes to Role::weight alone, unless decay_norm_and_bias; a group's own goes to all
/// that the group matches. `parameters` outlives the optimiser.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, FlatParameters& parameters);

/// The segments that groups and roles cut a layout into. Throws as make_optimizer does.
std::vector<Segment> make_segments(const OptimizerOptions& options, const FlatParameters& parameters);

}  // namespace smoothlab::trainer
