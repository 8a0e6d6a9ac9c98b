#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "eval/temperature_sweep.h"

namespace smoothlab::eval {

/// A run's sweep as it is shown.
struct ShownSweep {
  std::string run;  ///< its folder
  double alpha = 0;
  const TemperatureSweep& sweep;
  bool lowercase = false;  ///< which BLEU counts
};

/// run, alpha, what to_json of the sweep has, and best_temperature by bleu, ece and nll.
nlohmann::ordered_json to_json(const ShownSweep& shown);

/// A heading, a line for each temperature, and where there are several the best of each figure.
std::string to_text(const ShownSweep& shown);

}  // namespace smoothlab::eval
