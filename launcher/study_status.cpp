#include "launcher/study_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cluster/duration.h"
#include "eval/text_table.h"
#include "launcher/run_values.h"
#include "launcher/study_pace.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr RunPhase all_phases[] = {RunPhase::done,   RunPhase::running, RunPhase::stopped,
                                   RunPhase::failed, RunPhase::changed, RunPhase::waiting};

std::string steps_text(const RunState& state, int64_t steps) {
  if (steps == 0) return fmt::format("{}", state.step);
  return fmt::format("{} / {}", state.step, steps);
}

std::string evaluation_text(const RunState& state) {
  const auto& last = state.evaluation;
  if (!last) return "";
  return fmt::format("{} accuracy {:.4f}, NLL {:.4f}, ECE {:.4f}", last->split, last->accuracy, last->nll,
                     last->ece);
}

std::string time_text(const std::optional<double>& left) {
  return left && *left > 0 ? cluster::duration_text(*left) : "";
}

std::vector<size_t> of_stage(const StudyPlan& plan, const std::vector<size_t>& selected, size_t stage) {
  std::vector<size_t> runs;
  for (const size_t i : selected)
    if (plan.runs[i].stage == stage) runs.push_back(i);
  return runs;
}

std::map<RunPhase, int> counts(const std::vector<size_t>& runs, const std::vector<RunState>& states) {
  std::map<RunPhase, int> result;
  for (const size_t i : runs) ++result[states[i].phase];
  return result;
}

Json json_of(const std::optional<double>& seconds) {
  return seconds ? Json(*seconds) : Json(nullptr);
}

}  // namespace

std::string phases_text(const std::vector<size_t>& runs, const std::vector<RunState>& states) {
  auto counted = counts(runs, states);
  std::string text;
  for (const RunPhase phase : all_phases)
    if (counted[phase] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counted[phase], phase_name(phase));
  return text;
}

std::string status_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                        const std::vector<RunState>& states, const std::vector<int64_t>& steps) {
  const auto pace = pace_of_stages(plan, states);
  std::vector<eval::TableLine> rows = {{"run", "state", "steps", "left", "last evaluation"}};
  std::string problems;
  for (const size_t i : selected) {
    const RunState& state = states[i];
    rows.push_back({plan.runs[i].name, phase_name(state.phase), steps_text(state, steps[i]),
                    time_text(seconds_left(plan.runs[i], state, steps[i], pace)), evaluation_text(state)});
    if (!state.problem.empty())
      problems += fmt::format("{} {}: {}\n", plan.runs[i].name, phase_name(state.phase), state.problem);
  }
  std::string text = eval::text_table(rows, {0, 1, 4}) + "\n";
  for (size_t stage = 0; stage < plan.stages.size(); ++stage) {
    const auto runs = of_stage(plan, selected, stage);
    if (runs.empty()) continue;
    const auto left = seconds_left(plan, runs, states, steps, pace, 1);
    text += fmt::format(
        "{}: {} of {} runs{}\n", plan.stages[stage], phases_text(runs, states), runs.size(),
        left && *left > 0 ? fmt::format(", {} left one after the other", cluster::duration_text(*left)) : "");
  }
  return problems.empty() ? text : text + "\n" + problems;
}

Json status_json(const StudyPlan& plan, const std::vector<size_t>& selected,
                 const std::vector<RunState>& states, const std::vector<int64_t>& steps) {
  const auto pace = pace_of_stages(plan, states);
  Json stages = Json::array(), runs = Json::array();
  for (size_t stage = 0; stage < plan.stages.size(); ++stage) {
    const auto own = of_stage(plan, selected, stage);
    if (own.empty()) continue;
    Json json = {{"stage", plan.stages[stage]}, {"runs", own.size()}};
    auto counted = counts(own, states);
    for (const RunPhase phase : all_phases) json[phase_name(phase)] = counted[phase];
    json["seconds_per_step"] = pace[stage] > 0 ? Json(pace[stage]) : Json(nullptr);
    json["seconds_left"] = json_of(seconds_left(plan, own, states, steps, pace, 1));
    stages.push_back(json);
  }
  for (const size_t i : selected) {
    const StudyRun& run = plan.runs[i];
    const RunState& state = states[i];
    Json after = Json::array();
    for (const size_t other : run.after) after.push_back(plan.runs[other].name);
    runs.push_back({{"run", run.name},
                    {"stage", plan.stages[run.stage]},
                    {"folder", run.folder},
                    {"values", values_json(run.values)},
                    {"after", after},
                    {"state", phase_name(state.phase)},
                    {"step", state.step},
                    {"steps", steps[i] > 0 ? Json(steps[i]) : Json(nullptr)},
                    {"seconds", state.seconds},
                    {"seconds_left", json_of(seconds_left(run, state, steps[i], pace))},
                    {"evaluation", state.evaluation ? trainer::to_json(*state.evaluation) : Json(nullptr)},
                    {"problem", state.problem.empty() ? Json(nullptr) : Json(state.problem)}});
  }
  return {{"study", plan.name}, {"folder", plan.folder}, {"stages", stages}, {"runs", runs}};
}

}  // namespace smoothlab::launcher
