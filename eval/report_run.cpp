#include "eval/report_run.h"

#include <algorithm>

namespace smoothlab::eval {

const ReportRun::Evaluation* ReportRun::judged_by() const {
  if (evaluations.empty()) return nullptr;
  if (!end || end->best.empty()) return &evaluations.back();
  const auto best = std::find_if(evaluations.begin(), evaluations.end(),
                                 [&](const Evaluation& one) { return one.step == end->best_step; });
  return best == evaluations.end() ? nullptr : &*best;
}

}  // namespace smoothlab::eval
