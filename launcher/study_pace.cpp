#include "launcher/study_pace.h"

#include <algorithm>
#include <map>

#include "cluster/error.h"
#include "trainer/recipe_keys.h"
#include "trainer/run_parts.h"

namespace smoothlab::launcher {
namespace {

/// What tells tasks apart.
std::string task_of(const trainer::Recipe& recipe) {
  std::string text;
  for (const auto& key : trainer::recipe_keys())
    if (key.path.rfind("task.", 0) == 0) text += key.write(recipe) + "\n";
  return text;
}

std::shared_ptr<const data::Dataset> training_split(const trainer::Recipe& recipe) {
  try {
    return trainer::open_task_of(recipe).train;
  } catch (const Error&) {
    return nullptr;  // the run itself will say what is missing
  }
}

}  // namespace

std::vector<int64_t> steps_of_runs(const StudyPlan& plan) {
  std::vector<int64_t> steps;
  std::map<std::string, std::shared_ptr<const data::Dataset>> splits;
  for (const StudyRun& run : plan.runs) {
    if (run.recipe.train.steps > 0) {
      steps.push_back(run.recipe.train.steps);
      continue;
    }
    const auto [known, fresh] = splits.emplace(task_of(run.recipe), nullptr);
    if (fresh) known->second = training_split(run.recipe);
    steps.push_back(known->second
                        ? trainer::total_steps(run.recipe, *trainer::batch_order(run.recipe, *known->second))
                        : 0);
  }
  return steps;
}

std::vector<double> pace_of_stages(const StudyPlan& plan, const std::vector<RunState>& states) {
  std::vector<double> seconds(plan.stages.size());
  std::vector<double> steps(plan.stages.size());
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    if (states[i].seconds_per_step <= 0) continue;
    seconds[plan.runs[i].stage] += states[i].seconds;
    steps[plan.runs[i].stage] += states[i].seconds / states[i].seconds_per_step;
  }
  for (size_t stage = 0; stage < seconds.size(); ++stage)
    seconds[stage] = steps[stage] > 0 ? seconds[stage] / steps[stage] : 0;
  return seconds;
}

std::optional<double> seconds_left(const StudyRun& run, const RunState& state, int64_t steps,
                                   const std::vector<double>& pace) {
  if (state.phase == RunPhase::done) return 0;
  const double own = state.seconds_per_step > 0 ? state.seconds_per_step : pace[run.stage];
  if (own <= 0 || steps == 0) return std::nullopt;
  return own * static_cast<double>(std::max<int64_t>(0, steps - state.step));
}

std::optional<double> seconds_left(const StudyPlan& plan, const std::vector<size_t>& runs,
                                   const std::vector<RunState>& states, const std::vector<int64_t>& steps,
                                   const std::vector<double>& pace, int at_once) {
  double all = 0, longest = 0;
  for (const size_t i : runs) {
    const auto left = seconds_left(plan.runs[i], states[i], steps[i], pace);
    if (!left) return std::nullopt;
    all += *left;
    longest = std::max(longest, *left);
  }
  return std::max(longest, all / at_once);
}

}  // namespace smoothlab::launcher
