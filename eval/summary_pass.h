#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "eval/calibration_pass.h"
#include "eval/temperature_grid.h"

namespace smoothlab::eval {

/// NLL summed over the rows of each half, at every temperature of a summary.
struct GridNll {
  std::array<std::vector<double>, 2> sums;
  std::array<int64_t, 2> rows{};
};

/// What fits to it: of all rows, and of each half, as FileTemperatures has them.
struct GridFits {
  TemperatureFit all;
  std::optional<std::array<TemperatureFit, 2>> halves;
};
GridFits fit_temperatures(const TemperatureGrid& grid, const GridNll& nll);

/// calibration_pass() over a summary. What it does not have is NaN: Brier where half the temperature is not
/// covered, top-5 where fewer than five logits are kept of more classes; classwise bins stay empty. Throws
/// UsageError for a temperature that the summary's grid does not cover, DataError for a bad value.
void summary_pass(const LogitFile& file, uint64_t seed, const std::vector<JudgedTemperature>& temperatures,
                  GridNll* nll, const std::function<void(int64_t rows)>& passed = {});

}  // namespace smoothlab::eval
