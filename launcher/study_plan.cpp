#include "launcher/study_plan.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "launcher/stage_order.h"
#include "launcher/stage_runs.h"

namespace smoothlab::launcher {
namespace {

/// Runs that could not be told apart.
void refuse_duplicates(const StudyFile& study, const StudyPlan& plan) {
  std::map<std::string, const StudyRun*> recipes;
  for (const StudyRun& run : plan.runs) {
    const auto [first, fresh] = recipes.emplace(run.resolved, &run);
    if (fresh) continue;
    const std::string& stage = plan.stages[run.stage];
    const auto where = std::find_if(study.stages.begin(), study.stages.end(),
                                    [&](const auto& s) { return s.name == stage; });
    throw UsageError(fmt::format("{} and {} would be the same run", first->second->name, run.name),
                     study.place(where->line).at("stages." + stage),
                     "let them differ in a key, such as train.seed, or keep one");
  }
}

}  // namespace

StudyPlan plan_study(const StudyFile& study, const std::string& folder) {
  StudyPlan plan;
  plan.path = study.path;
  plan.name = study.name;
  plan.folder = folder.empty() ? study.runs : folder;
  while (plan.folder.size() > 1 && plan.folder.back() == '/') plan.folder.pop_back();
  for (const size_t i : stage_order(study)) {
    plan.stages.push_back(study.stages[i].name);
    add_runs_of_stage(study, study.stages[i], plan);
  }
  refuse_duplicates(study, plan);
  return plan;
}

std::vector<size_t> select_runs(const StudyPlan& plan, const std::string& glob, bool needed) {
  std::vector<bool> chosen(plan.runs.size());
  bool any = false;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    chosen[i] = glob.empty() || fnmatch(glob.c_str(), plan.runs[i].name.c_str(), 0) == 0;
    any = any || chosen[i];
  }
  if (!any)
    throw UsageError("no run is called so", "--only " + glob,
                     fmt::format("runs are called like {}", plan.runs.front().name));
  // Backwards: what a run comes after stands before it.
  for (size_t i = plan.runs.size(); needed && i-- > 0;)
    if (chosen[i])
      for (const size_t other : plan.runs[i].after) chosen[other] = true;
  std::vector<size_t> selected;
  for (size_t i = 0; i < plan.runs.size(); ++i)
    if (chosen[i]) selected.push_back(i);
  return selected;
}

}  // namespace smoothlab::launcher
