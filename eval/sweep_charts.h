#pragma once

#include <string>
#include <vector>

#include "eval/chart.h"
#include "eval/temperature_sweep.h"

namespace smoothlab::eval {

/// Sweeps that are one curve: of runs that differ in nothing but the seed.
struct SweptRuns {
  std::string name;  ///< "α = 0.1"
  int color = 0;
  std::vector<const TemperatureSweep*> sweeps;
};

/// Fig. 4: BLEU, ECE and NLL against the temperature, a curve each; the mean over its sweeps at the
/// temperatures that all of them have, with a band from the least to the greatest where there are several.
/// Empty where no sweep has two temperatures.
std::vector<Chart> sweep_charts(const std::vector<SweptRuns>& runs, bool lowercase);

}  // namespace smoothlab::eval
