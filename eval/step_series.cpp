#include "eval/step_series.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "eval/printable.h"

namespace smoothlab::eval {
namespace {

/// What is the same for all splits and steps of a run.
using RunKey = std::vector<std::string>;

constexpr std::array run_attributes = {"alpha", "task", "model", "convention"};

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in_folder(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

/// "alpha-0.1" of "runs/alpha-0.1/logits".
std::string run_name(const std::string& folder) {
  const bool inner = name_in_folder(folder) == "logits";
  return name_in_folder(inner ? folder_of(folder) : folder);
}

RunKey run_key(const StatedFile& file) {
  RunKey key{folder_of(file.path)};
  // A run's own folder holds no other run; and a program that is newer states a longer recipe.
  if (name_in_folder(key[0]) != "logits") key.push_back(stated(file.origin, "recipe_hash"));
  for (const char* name : run_attributes) key.push_back(stated(file.origin, name));
  return key;
}

int split_rank(const std::string& split) {
  const std::array known = {"train", "validation", "test"};
  return static_cast<int>(std::find(known.begin(), known.end(), split) - known.begin());
}

/// "α = 0.1" of {"alpha", "0.1"}.
std::string part_of_name(const std::string& attribute, const std::string& value) {
  if (value.empty()) return "";
  return attribute == "alpha" ? "α = " + value : value;
}

void append(std::string& text, const std::string& part) {
  if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
}

/// Names each series by what differs among all of them, and by its run where that is not enough.
void name_series(const std::vector<StatedFile>& files, std::vector<StepSeries>& series) {
  const auto origin = [&](const StepSeries& one) -> const StatedOrigin& {
    return files[one.files.front()].origin;
  };
  for (const char* attribute : {"task", "model", "alpha", "convention", "split"}) {
    std::set<std::string> values;
    for (const StepSeries& one : series) values.insert(stated(origin(one), attribute));
    const bool shown = values.size() > 1 || std::string(attribute) == "alpha";
    for (StepSeries& one : series)
      if (shown) append(one.name, part_of_name(attribute, stated(origin(one), attribute)));
  }
  std::map<std::string, int> taken;
  for (const StepSeries& one : series) ++taken[one.name];
  for (StepSeries& one : series) {
    const std::string& path = files[one.files.front()].path;
    if (taken[one.name] > 1) append(one.name, run_name(folder_of(path)));
    if (one.name.empty()) one.name = name_in_folder(path);
    one.name = printable(one.name);
  }
}

}  // namespace

std::vector<StepSeries> step_series(const std::vector<StatedFile>& files) {
  std::vector<RunKey> runs;
  std::map<std::tuple<size_t, std::string, std::string>, StepSeries> groups;  // run, split, path without step
  for (size_t i = 0; i < files.size(); ++i) {
    const RunKey key = run_key(files[i]);
    const auto run = static_cast<size_t>(std::find(runs.begin(), runs.end(), key) - runs.begin());
    if (run == runs.size()) runs.push_back(key);
    const bool alone = !stated_number(files[i].origin, "step");
    auto& group = groups[{run, stated(files[i].origin, "split"), alone ? files[i].path : ""}];
    group.files.push_back(i);
    group.run = static_cast<int>(run);
  }
  std::vector<StepSeries> series;
  for (auto& [key, group] : groups) series.push_back(std::move(group));
  const auto order = [&](const StepSeries& one) {
    const StatedOrigin& origin = files[one.files.front()].origin;
    return std::make_tuple(stated_number(origin, "alpha").value_or(-1), one.run,
                           split_rank(stated(origin, "split")));
  };
  std::stable_sort(series.begin(), series.end(),
                   [&](const StepSeries& a, const StepSeries& b) { return order(a) < order(b); });
  std::map<int, int> number_of_run;
  int least = 3;
  for (const StepSeries& one : series)
    least = std::min(least, split_rank(stated(files[one.files.front()].origin, "split")));
  for (StepSeries& one : series) {
    std::stable_sort(one.files.begin(), one.files.end(), [&](size_t a, size_t b) {
      return stated_number(files[a].origin, "step") < stated_number(files[b].origin, "step");
    });
    one.run = number_of_run.emplace(one.run, static_cast<int>(number_of_run.size())).first->second;
    one.dashed = split_rank(stated(files[one.files.front()].origin, "split")) != least;
  }
  name_series(files, series);
  return series;
}

std::vector<size_t> one_a_step(const StepSeries& series, const std::vector<StatedFile>& files) {
  std::vector<size_t> chosen;
  for (const size_t file : series.files)
    if (chosen.empty() || stated(files[file].origin, "step") != stated(files[chosen.back()].origin, "step"))
      chosen.push_back(file);
  return chosen;
}

bool has_trajectory(const std::vector<StepSeries>& series, const std::vector<StatedFile>& files) {
  return std::any_of(series.begin(), series.end(),
                     [&](const StepSeries& one) { return one_a_step(one, files).size() > 1; });
}

std::string origin_title(const StatedFile& file) {
  std::string title;
  append(title, part_of_name("alpha", stated(file.origin, "alpha")));
  append(title, stated(file.origin, "split"));
  const std::string step = stated(file.origin, "step");
  if (!step.empty()) append(title, "step " + step);
  return printable(title.empty() ? name_in_folder(file.path) : title);
}

}  // namespace smoothlab::eval
