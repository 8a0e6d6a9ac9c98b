#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launcher/run_state.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// How far the selected runs of a study are: a table of runs, and a line for each stage.
std::string status_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                        const std::vector<RunState>& states, const std::vector<int64_t>& steps);

/// The same as JSON. Times in seconds, of training; null: unknown.
nlohmann::ordered_json status_json(const StudyPlan& plan, const std::vector<size_t>& selected,
                                   const std::vector<RunState>& states, const std::vector<int64_t>& steps);

/// "12 done, 1 running, 5 waiting" of some runs; phases that none is in are left out.
std::string phases_text(const std::vector<size_t>& runs, const std::vector<RunState>& states);

}  // namespace smoothlab::launcher
