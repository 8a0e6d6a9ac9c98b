#pragma once

#include <string>
#include <vector>

#include "eval/sweep_charts.h"
#include "trainer/recipe.h"

namespace smoothlab::launcher {

/// The curves of runs' sweeps: runs that differ in their seed alone are one, and a seed is in it once. The
/// three lists are of the same runs; the sweeps outlive the result.
std::vector<eval::SweptRuns> sweep_curves(const std::vector<std::string>& folders,
                                          const std::vector<trainer::Recipe>& recipes,
                                          const std::vector<eval::TemperatureSweep>& sweeps);

}  // namespace smoothlab::launcher
