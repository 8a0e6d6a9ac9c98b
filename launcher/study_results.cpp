#include "launcher/study_results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "eval/text_table.h"

namespace smoothlab::launcher {
namespace {

using Json = nlohmann::ordered_json;

/// What is averaged over seeds, of a run that is done.
std::vector<std::pair<std::string, double>> metrics_of(const RunState& state) {
  std::vector<std::pair<std::string, double>> metrics;
  if (const auto& last = state.evaluation)
    metrics = {{"accuracy", last->accuracy},
               {"top5_accuracy", last->top5_accuracy},
               {"nll", last->nll},
               {"brier", last->brier},
               {"ece", last->ece}};
  if (state.gamma) metrics.emplace_back("gamma", *state.gamma);
  metrics.emplace_back("seconds", state.seconds);
  return metrics;
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = {"accuracy", "top5_accuracy", "nll",    "brier",
                                                 "ece",      "gamma",         "seconds"};
  return names;
}

std::string split_of(const RunState& state) {
  return state.phase == RunPhase::done && state.evaluation ? state.evaluation->split : "";
}

const eval::SeedStatistics* find(const ResultGroup& group, const std::string& metric) {
  for (const auto& [name, spread] : group.metrics)
    if (name == metric) return &spread;
  return nullptr;
}

/// All keys of some values, in the order in which they are met.
std::vector<std::string> columns_of(const std::vector<const RunValues*>& all) {
  std::vector<std::string> columns;
  for (const RunValues* values : all)
    for (const auto& entry : *values)
      if (std::find(columns.begin(), columns.end(), entry.first) == columns.end())
        columns.push_back(entry.first);
  return columns;
}

std::string value_in(const RunValues& values, const std::string& key) {
  for (const auto& [name, value] : values)
    if (name == key) return plain_value(value);
  return "";
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

/// As RFC 4180 writes a line.
std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ",";
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

std::string mean_text(const eval::SeedStatistics* spread, const std::string& metric) {
  if (!spread) return "";
  const int digits = metric == "seconds" ? 1 : 4;
  const std::string mean = fmt::format("{:.{}f}", spread->mean, digits);
  return spread->count < 2 ? mean : fmt::format("{} ± {:.{}f}", mean, spread->deviation, digits);
}

std::string stage_table(const std::string& stage, const std::vector<ResultGroup>& groups) {
  std::vector<const RunValues*> values;
  for (const auto& group : groups)
    if (group.stage == stage) values.push_back(&group.values);
  const auto columns = columns_of(values);
  std::vector<eval::TableLine> rows(1);
  std::vector<size_t> left;
  for (const auto& column : columns) {
    left.push_back(rows[0].size());
    rows[0].push_back(column);
  }
  std::set<std::string> splits, metrics;
  for (const auto& group : groups) {
    if (group.stage != stage) continue;
    if (!group.split.empty()) splits.insert(group.split);
    for (const auto& metric : group.metrics) metrics.insert(metric.first);
  }
  const bool tell_split = splits.size() > 1;
  if (tell_split) {
    left.push_back(rows[0].size());
    rows[0].emplace_back("split");
  }
  rows[0].emplace_back("n");
  for (const auto& metric : metric_names())
    if (metrics.count(metric) > 0) rows[0].push_back(metric);
  for (const auto& group : groups) {
    if (group.stage != stage) continue;
    auto& row = rows.emplace_back();
    for (const auto& column : columns) row.push_back(value_in(group.values, column));
    if (tell_split) row.push_back(group.split);
    const size_t done = group.runs.size() - group.missing.size();
    row.push_back(group.missing.empty() ? fmt::format("{}", done)
                                        : fmt::format("{} of {}", done, group.runs.size()));
    for (const auto& metric : metric_names())
      if (metrics.count(metric) > 0) row.push_back(mean_text(find(group, metric), metric));
  }
  return stage + "\n" + eval::text_table(rows, left);
}

Json json_of(const eval::SeedStatistics& spread) {
  return {{"n", spread.count},
          {"mean", spread.mean},
          {"std", spread.count > 1 ? Json(spread.deviation) : Json(nullptr)},
          {"min", spread.low},
          {"max", spread.high}};
}

std::vector<size_t> missing_of(const std::vector<size_t>& runs, const std::vector<RunState>& states) {
  std::vector<size_t> missing;
  for (const size_t i : runs)
    if (states[i].phase != RunPhase::done) missing.push_back(i);
  return missing;
}

}  // namespace

std::vector<ResultGroup> groups_over_seeds(const StudyPlan& plan, const std::vector<size_t>& selected,
                                           const std::vector<RunState>& states) {
  std::vector<ResultGroup> groups;
  for (const size_t i : selected) {
    const std::string &stage = plan.stages[plan.runs[i].stage], split = split_of(states[i]);
    const RunValues values = without_seeds(plan.runs[i].values);
    // Runs without a result go with whoever else has their values.
    auto group = std::find_if(groups.begin(), groups.end(), [&](const ResultGroup& one) {
      return one.stage == stage && one.values == values &&
             (split.empty() || one.split.empty() || one.split == split);
    });
    if (group == groups.end()) group = groups.insert(groups.end(), {stage, values, "", {}, {}, {}});
    if (!split.empty()) group->split = split;
    group->runs.push_back(i);
  }
  for (auto& group : groups) {
    group.missing = missing_of(group.runs, states);
    std::map<std::string, std::vector<double>> numbers;
    for (const size_t i : group.runs)
      if (states[i].phase == RunPhase::done)
        for (const auto& [name, value] : metrics_of(states[i])) numbers[name].push_back(value);
    for (const auto& name : metric_names()) {
      const auto statistics = eval::over_seeds(numbers[name]);
      if (statistics.count > 0) group.metrics.emplace_back(name, statistics);
    }
  }
  return groups;
}

std::string results_text(const StudyPlan& plan, const std::vector<size_t>& selected,
                         const std::vector<RunState>& states) {
  const auto groups = groups_over_seeds(plan, selected, states);
  std::string text;
  for (const auto& stage : plan.stages)
    if (std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.stage == stage; }))
      text += stage_table(stage, groups) + "\n";
  const auto missing = missing_of(selected, states);
  if (!missing.empty()) text += fmt::format("missing: {} of {} runs\n", missing.size(), selected.size());
  for (const size_t i : missing)
    text += fmt::format("  {} ({})\n", plan.runs[i].name, phase_name(states[i].phase));
  return text;
}

Json results_json(const StudyPlan& plan, const std::vector<size_t>& selected,
                  const std::vector<RunState>& states) {
  Json runs = Json::array(), groups = Json::array(), missing = Json::array();
  for (const size_t i : selected) {
    const StudyRun& run = plan.runs[i];
    const RunState& state = states[i];
    const bool done = state.phase == RunPhase::done;
    runs.push_back(
        {{"run", run.name},
         {"stage", plan.stages[run.stage]},
         {"folder", run.folder},
         {"values", values_json(run.values)},
         {"state", phase_name(state.phase)},
         {"step", state.step},
         {"seconds", done ? Json(state.seconds) : Json(nullptr)},
         {"evaluation", done && state.evaluation ? trainer::to_json(*state.evaluation) : Json(nullptr)}});
    if (!done) missing.push_back({{"run", run.name}, {"state", phase_name(state.phase)}});
  }
  for (const auto& group : groups_over_seeds(plan, selected, states)) {
    Json names = Json::array(), lost = Json::array(), metrics = Json::object();
    for (const size_t i : group.runs) names.push_back(plan.runs[i].name);
    for (const size_t i : group.missing) lost.push_back(plan.runs[i].name);
    for (const auto& [name, spread] : group.metrics) metrics[name] = json_of(spread);
    groups.push_back({{"stage", group.stage},
                      {"values", values_json(group.values)},
                      {"split", group.split.empty() ? Json(nullptr) : Json(group.split)},
                      {"runs", names},
                      {"missing", lost},
                      {"metrics", metrics}});
  }
  return {{"study", plan.name},
          {"folder", plan.folder},
          {"runs", runs},
          {"groups", groups},
          {"missing", missing}};
}

std::string runs_csv(const StudyPlan& plan, const std::vector<size_t>& selected,
                     const std::vector<RunState>& states) {
  std::vector<const RunValues*> values;
  for (const size_t i : selected) values.push_back(&plan.runs[i].values);
  const auto columns = columns_of(values);
  std::vector<std::string> head = {"stage", "run", "folder", "state"};
  head.insert(head.end(), columns.begin(), columns.end());
  for (const char* name : {"step", "split", "rows"}) head.emplace_back(name);
  head.insert(head.end(), metric_names().begin(), metric_names().end());
  std::string text = csv_line(head);
  for (const size_t i : selected) {
    const StudyRun& run = plan.runs[i];
    const RunState& state = states[i];
    std::vector<std::string> line = {plan.stages[run.stage], run.name, run.folder, phase_name(state.phase)};
    for (const auto& column : columns) line.push_back(value_in(run.values, column));
    line.push_back(fmt::format("{}", state.step));
    if (state.phase == RunPhase::done) {
      const auto& last = state.evaluation;
      line.push_back(last ? last->split : "");
      line.push_back(last ? fmt::format("{}", last->rows) : "");
      const auto metrics = metrics_of(state);
      for (const auto& name : metric_names()) {
        const auto found = std::find_if(metrics.begin(), metrics.end(),
                                        [&](const auto& metric) { return metric.first == name; });
        line.push_back(found == metrics.end() ? "" : number(found->second));
      }
    }
    line.resize(head.size());
    text += csv_line(line);
  }
  return text;
}

std::string groups_csv(const StudyPlan& plan, const std::vector<size_t>& selected,
                       const std::vector<RunState>& states) {
  const auto groups = groups_over_seeds(plan, selected, states);
  std::vector<const RunValues*> values;
  for (const auto& group : groups) values.push_back(&group.values);
  const auto columns = columns_of(values);
  std::vector<std::string> head = {"stage"};
  head.insert(head.end(), columns.begin(), columns.end());
  head.insert(head.end(), {"split", "runs", "n"});
  for (const auto& metric : metric_names())
    for (const char* what : {"mean", "std", "min", "max"}) head.push_back(metric + "_" + what);
  std::string text = csv_line(head);
  for (const auto& group : groups) {
    std::vector<std::string> line = {group.stage};
    for (const auto& column : columns) line.push_back(value_in(group.values, column));
    line.push_back(group.split);
    line.push_back(fmt::format("{}", group.runs.size()));
    line.push_back(fmt::format("{}", group.runs.size() - group.missing.size()));
    for (const auto& metric : metric_names()) {
      const eval::SeedStatistics* spread = find(group, metric);
      if (!spread) {
        line.resize(line.size() + 4);
        continue;
      }
      line.push_back(number(spread->mean));
      line.push_back(spread->count > 1 ? number(spread->deviation) : "");
      line.push_back(number(spread->low));
      line.push_back(number(spread->high));
    }
    text += csv_line(line);
  }
  return text;
}

}  // namespace smoothlab::launcher
