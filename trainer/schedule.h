#pragma once

#include <cstdint>
#include <memory>

#include "data/batch_order.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// Factor on the learning rate as a pure function of the step. With s = 0 for the first update, S = the
/// run's steps, W = warm-up steps, it is ramp(s) · shape(s), ramp(s) = min(1, (s+1)/W); where the unit is
/// epochs, s, s+1 and S stand for the passes over the training split that so many steps make:
///   constant             1
///   step                 factor^(number of boundaries ≤ s): boundary 32000 holds from the 32001st update on
///   linear               from 1 to final over the steps after warm-up: 1 − (1−final)·x, x = (s−W)/(S−W) ≥ 0
///   cosine               final + (1−final)·(1 + cos πx)/2 (Loshchilov & Hutter 2017, without restarts)
///   exponential          factor^(s/every), with staircase factor^⌊s/every⌋
///   inverse-square-root  √(max(W,1)/max(s+1, W, 1)): peak 1 at the end of warm-up. The Transformer's
///                        d^−½·min(n^−½, n·W^−3/2), n = s+1, is this with lr = (d·W)^−½.
class Schedule {
 public:
  /// Whether a factor depends on the run's length (linear, cosine).
  static bool depends_on_length(const ScheduleOptions& options);

  /// order: by which passes are counted; needed where the unit is epochs.
  Schedule(const ScheduleOptions& options, int64_t total_steps,
           std::shared_ptr<const data::BatchOrder> order = nullptr);
  double factor(int64_t step) const;

 private:
  /// That has passed after so many steps, in the unit.
  double time(int64_t steps) const;
  double shape(int64_t step) const;
  ScheduleOptions options_;
  std::shared_ptr<const data::BatchOrder> order_;
  double end_;
};

}  // namespace smoothlab::trainer
