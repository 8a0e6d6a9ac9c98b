#pragma once

#include <string>

#include "eval/chart.h"

namespace smoothlab::eval {

/// The corner of the frame in which a legend hides least of a chart, as gnuplot calls it: "top right",
/// "top left reverse Left" …; of equals the first of top right, top left, bottom right, bottom left.
std::string legend_corner(const Chart& chart, const ChartRanges& ranges);

}  // namespace smoothlab::eval
