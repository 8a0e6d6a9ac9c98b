#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "eval/chart.h"
#include "eval/step_series.h"

namespace smoothlab::eval {

/// Adds a line for each series to a chart of something against steps; none leaves a gap. measure: of a file,
/// by its index. Without a legend lines have no names, as beside another chart that has them.
void add_step_lines(Chart& chart, const std::vector<StepSeries>& series, const std::vector<StatedFile>& files,
                    bool legend, const std::function<std::optional<double>(size_t file)>& measure);

}  // namespace smoothlab::eval
