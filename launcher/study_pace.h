#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "launcher/run_state.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// Steps of each run of a plan; 0 where they cannot be told yet: train.epochs of data that are not there.
std::vector<int64_t> steps_of_runs(const StudyPlan& plan);

/// Seconds that a step of each stage takes, of its runs that have trained; 0 where none has.
std::vector<double> pace_of_stages(const StudyPlan& plan, const std::vector<RunState>& states);

/// Seconds of training that a run has before it; 0 where it is done, nothing where that cannot be told.
std::optional<double> seconds_left(const StudyRun& run, const RunState& state, int64_t steps,
                                   const std::vector<double>& pace);

/// Seconds until all these runs are done, `at_once` of them at a time; nothing where that cannot be told.
std::optional<double> seconds_left(const StudyPlan& plan, const std::vector<size_t>& runs,
                                   const std::vector<RunState>& states, const std::vector<int64_t>& steps,
                                   const std::vector<double>& pace, int at_once);

}  // namespace smoothlab::launcher
