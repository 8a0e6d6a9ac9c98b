#pragma once

#include <vector>

#include "eval/chart.h"
#include "eval/penultimate_projection.h"

namespace smoothlab::eval {

/// One panel of the paper's fig. 1: a dot for each kept example in the colour of its class, a triangle for
/// each template, and dashed from u = 0 the rays on which two classes have equal logits. Templates are much
/// shorter than activations: they are drawn longer by a factor that the subtitle says.
Chart projection_chart(const PenultimateProjection& projection);

/// Charts in rows of `columns`.
struct ChartGrid {
  std::vector<Chart> charts;
  int columns = 1;
};

/// The panels of several files: a row for each run, a column for each split; of files of several steps a row
/// for each run and split, a column for each of up to five steps. Only the first has a legend.
ChartGrid projection_grid(const std::vector<PenultimateProjection>& projections);

/// Spread, spread in all dimensions and regularity against steps, a line for each run and split; no charts
/// where no run has two steps.
ChartGrid projection_trends(const std::vector<PenultimateProjection>& projections);

}  // namespace smoothlab::eval
