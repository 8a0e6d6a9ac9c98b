#pragma once

#include <cstdint>
#include <vector>

#include "trainer/flat_parameters.h"
#include "trainer/recipe.h"

namespace smoothlab::trainer {

/// A range of the flat buffers whose elements are all updated alike: neighbours with the same learning-rate
/// scale and weight decay, the gaps between them included.
struct Segment {
  int64_t begin = 0, end = 0;
  double lr_scale = 1;
  double weight_decay = 0;
};

/// The segments that groups and roles cut a layout into. options.weight_decay goes to Role::weight alone,
/// unless decay_norm_and_bias; a group's own goes to all that the group matches. Throws UsageError for a
/// group that matches no parameter; the error lists the parameters' names.
std::vector<Segment> make_segments(const OptimizerOptions& options, const FlatParameters& parameters);

}  // namespace smoothlab::trainer
