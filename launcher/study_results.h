#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "eval/seed_statistics.h"
#include "launcher/run_state.h"
#include "launcher/run_values.h"
#include "launcher/study_plan.h"

namespace smoothlab::launcher {

/// Runs of a stage that differ in their seeds only, and were evaluated on the same split.
struct ResultGroup {
  std::string stage;
  RunValues values;   ///< what they share of StudyRun::values
  std::string split;  ///< of those that are done; empty: none is
  std::vector<size_t> runs;
  std::vector<size_t> missing;  ///< of them, those that are not done
  /// Of the last evaluations of those that are done, of their teachers' equivalent smoothing, and of the
  /// seconds that they trained: {"accuracy", …}.
  std::vector<std::pair<std::string, eval::SeedStatistics>> metrics;
};
std::vector<ResultGroup> groups_over_seeds(const StudyPlan& plan, const std::vector<size_t>& selected,
                                           const std::vector<RunState>& states);

/// What the runs of a study came to: a table of mean ± standard deviation over seeds for each stage.
std::string results_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                         const std::vector<RunState>& states);
/// Every run and every group.
nlohmann::ordered_json results_json(const StudyPlan& plan, const std::vector<size_t>& selected,
                                    const std::vector<RunState>& states);
/// A line for every run, also for those that are not done, whose fields are empty then.
std::string runs_csv(const StudyPlan& plan, const std::vector<size_t>& selected,
                     const std::vector<RunState>& states);
/// A line for every group: mean, std, min and max of every metric.
std::string groups_csv(const StudyPlan& plan, const std::vector<size_t>& selected,
                       const std::vector<RunState>& states);

}  // namespace smoothlab::launcher
