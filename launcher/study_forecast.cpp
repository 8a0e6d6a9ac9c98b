#include "launcher/study_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/duration.h"
#include "cluster/failure.h"
#include "eval/text_table.h"
#include "launcher/study_pace.h"
#include "launcher/study_status.h"
#include "launcher/study_trial.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

std::string steps_text(const StageForecast& stage) {
  if (stage.most_steps == 0) return "unknown";
  if (stage.least_steps == stage.most_steps) return fmt::format("{}", stage.most_steps);
  return fmt::format("{} to {}", stage.least_steps, stage.most_steps);
}

std::string pace_text(const StageForecast& stage) {
  if (!stage.problem.empty()) return "unknown: " + stage.problem;
  if (stage.seconds_per_step <= 0) return stage.done == stage.runs ? "" : "unknown";
  return fmt::format("{:.3g} s, {}", stage.seconds_per_step,
                     !stage.by_trial ? "by its own runs"
                     : stage.taught  ? "by a short trial without its teacher"
                                     : "by a short trial");
}

}  // namespace

StudyForecast forecast(const StudyPlan& plan, const std::vector<size_t>& selected,
                       const std::vector<RunState>& states, const std::vector<int64_t>& steps, int at_once,
                       int threads, const cluster::StopSignal& stop) {
  StudyForecast result;
  result.at_once = at_once;
  std::vector<double> pace = pace_of_stages(plan, states);
  for (size_t number = 0; number < plan.stages.size(); ++number) {
    StageForecast stage;
    stage.stage = plan.stages[number];
    const StudyRun* undone = nullptr;
    for (const size_t i : selected) {
      if (plan.runs[i].stage != number) continue;
      stage.least_steps = stage.runs == 0 ? steps[i] : std::min(stage.least_steps, steps[i]);
      stage.most_steps = std::max(stage.most_steps, steps[i]);
      ++stage.runs;
      if (states[i].phase == RunPhase::done)
        ++stage.done;
      else if (!undone)
        undone = &plan.runs[i];
    }
    if (stage.runs == 0) continue;
    if (pace[number] <= 0 && undone && stop.requested() == cluster::StopRequest::none) {
      try {
        pace[number] = seconds_of_trial_step(undone->recipe, threads, stop);
        stage.by_trial = true;
        stage.taught = undone->recipe.teacher.loss != "none";
      } catch (const std::exception& failure) {
        stage.problem = cluster::as_error(failure).what();
      }
    }
    stage.seconds_per_step = pace[number];
    result.stages.push_back(stage);
  }
  result.seconds_left = seconds_left(plan, selected, states, steps, pace, at_once);
  return result;
}

std::string forecast_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                          const std::vector<RunState>& states, const std::vector<int64_t>& steps,
                          const StudyForecast& forecast) {
  std::vector<eval::TableLine> rows = {{"stage", "runs", "done", "steps of a run", "a step takes"}};
  for (const auto& stage : forecast.stages)
    rows.push_back({stage.stage, fmt::format("{}", stage.runs), fmt::format("{}", stage.done),
                    steps_text(stage), pace_text(stage)});
  std::string text = fmt::format("{}: {} runs in {}, {}\n\n", plan.name, selected.size(), plan.folder,
                                 phases_text(selected, states));
  text += eval::text_table(rows, {0, 4}) + "\n";
  // A trial has the machine for itself.
  const bool tried = std::any_of(forecast.stages.begin(), forecast.stages.end(),
                                 [](const StageForecast& stage) { return stage.by_trial; });
  if (forecast.seconds_left)
    text += fmt::format("{} {} of training, {} at a time; evaluations come on top\n\n",
                        tried && forecast.at_once > 1 ? "at best" : "about",
                        cluster::duration_text(*forecast.seconds_left),
                        forecast.at_once == 1 ? "one run" : fmt::format("{} runs", forecast.at_once));
  rows = {{"run", "state", "steps", "comes after"}};
  for (const size_t i : selected) {
    const auto& after = plan.runs[i].after;
    rows.push_back({plan.runs[i].name, phase_name(states[i].phase),
                    steps[i] > 0 ? fmt::format("{}", steps[i]) : "",
                    after.empty() ? "" : plan.runs[after.front()].name});
    if (after.size() > 1) rows.back().back() += fmt::format(" and {} more", after.size() - 1);
  }
  return text + eval::text_table(rows, {0, 1, 3});
}

Json forecast_json(const StudyForecast& forecast) {
  const auto known = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  Json stages = Json::array();
  for (const auto& stage : forecast.stages)
    stages.push_back({{"stage", stage.stage},
                      {"runs", stage.runs},
                      {"done", stage.done},
                      {"steps", {stage.least_steps, stage.most_steps}},
                      {"seconds_per_step", known(stage.seconds_per_step)},
                      {"measured_by", stage.seconds_per_step <= 0 ? Json(nullptr)
                                      : stage.by_trial            ? Json("trial")
                                                                  : Json("runs")},
                      {"problem", stage.problem.empty() ? Json(nullptr) : Json(stage.problem)}});
  return {{"stages", stages},
          {"at_once", forecast.at_once},
          {"seconds_left", forecast.seconds_left ? Json(*forecast.seconds_left) : Json(nullptr)}};
}

}  // namespace smoothlab::launcher
