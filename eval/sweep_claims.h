#pragma once

#include <vector>

#include "eval/chart.h"
#include "eval/report_claims.h"
#include "eval/report_subject.h"

namespace smoothlab::eval {

/// What the paper says of fig. 4, and what the subject's sweeps say: a temperature improves hard targets'
/// BLEU, though not up to the smoothed network's as it is; that one is best near T = 1; hard targets have the
/// lower NLL at every temperature. BLEU is of lower-cased text, as the paper's. Those that the sweeps can
/// tell anything about.
std::vector<Claim> sweep_claims(const ReportSubject& subject);

/// Fig. 4's panels, a curve each α: see sweep_charts. Empty where no run has a sweep.
std::vector<Chart> subject_sweep_charts(const ReportSubject& subject);

}  // namespace smoothlab::eval
