#pragma once

#include <string>
#include <vector>

#include "eval/report_run.h"

namespace smoothlab::eval {

/// One self-contained HTML page (see page.h) about any number of runs: for each network on each data set what
/// smoothing did, beside what the paper says and prints; the figures; in what recipes differ from the
/// paper's; then every run with its end, and on what machines they ran.
std::string report_page(const std::string& title, const std::vector<ReportRun>& runs);

}  // namespace smoothlab::eval
