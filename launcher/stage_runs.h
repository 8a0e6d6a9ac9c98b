#pragma once

#include "launcher/study_file.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// Adds the runs of a stage, the last in plan.stages, to a plan that has those of all stages that it comes
/// after. Throws UsageError (see plan_study).
void add_runs_of_stage(const StudyFile& study, const StudyStage& stage, StudyPlan& plan);

}  // namespace smoothlab::launcher
