#pragma once

#include <string>

#include "eval/reliability_figure.h"

namespace smoothlab::eval {

/// A panel as an <svg> element to be put into a page, which gives it colours by the classes bar, gap, share,
/// axis, grid, ideal. Ids in it begin with `id`, which must be unique in the page. Needs no gnuplot.
std::string reliability_svg(const ReliabilityPanel& panel, const std::string& id);

}  // namespace smoothlab::eval
