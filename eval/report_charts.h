#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/chart.h"
#include "eval/report_subject.h"

namespace smoothlab::eval {

/// How accuracy, calibration error, NLL and training loss go on: a line each α, the mean over its seeds, with
/// a band from the least to the greatest. Those that have at least two steps.
std::vector<Chart> training_charts(const ReportSubject& subject);

/// Fig. 6: mutual information against steps, a line each α as above, with log 2 and the bound log N. None
/// where no run has an estimate.
std::optional<Chart> information_chart(const ReportSubject& subject);

/// Projections of the same three classes.
struct ProjectionCharts {
  std::string classes;  ///< "tench, meerkat, cleaver"
  std::vector<Chart> charts;
};

/// Fig. 1: the penultimate projections of the first seed, hard targets above smoothed ones, a split in each
/// column. Empty where there is none.
std::vector<ProjectionCharts> projection_charts(const ReportSubject& subject);

}  // namespace smoothlab::eval
