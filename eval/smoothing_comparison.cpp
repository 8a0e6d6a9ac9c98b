#include "eval/smoothing_comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>

#include "eval/printable.h"
#include "eval/recipe_text.h"

namespace smoothlab::eval {
namespace {

using Reports = std::vector<const CalibrationReport*>;
using Recipe = std::map<std::string, std::string>;

std::optional<double> alpha_number(const CalibrationReport& report) {
  const std::string text = alpha_of(report);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return value;
}

std::string name_of(const CalibrationReport& report) {
  const std::string task = stated(report.origin, "task"), model = stated(report.origin, "model");
  if (task.empty() || model.empty()) return task + model;
  return task + " / " + model;
}

/// Files that are runs of one thing: the same targets and the same recipe but for the seed.
struct Runs {
  double alpha = 0;
  std::string convention;
  Recipe recipe;
  Reports files;
};

/// Evaluations that may be set side by side.
struct Setting {
  std::string network, split, step, shape;
  std::string name = {};  ///< the network's, and what tells this setting from others of it
  std::vector<Runs> hard = {}, smoothed = {};
};

bool same(const Setting& a, const Setting& b) {
  return a.network == b.network && a.split == b.split && a.step == b.step && a.shape == b.shape;
}

void add(const CalibrationReport& report, std::vector<Runs>& all) {
  Runs wanted{*alpha_number(report), stated(report.origin, "convention"), training_values(report.recipe), {}};
  if (wanted.alpha == 0) wanted.convention.clear();  // without smoothing there is none
  auto found = std::find_if(all.begin(), all.end(), [&](const Runs& runs) {
    return runs.alpha == wanted.alpha && runs.convention == wanted.convention && runs.recipe == wanted.recipe;
  });
  if (found == all.end()) found = all.insert(all.end(), wanted);
  found->files.push_back(&report);
}

std::vector<Setting> settings_of(const std::vector<CalibrationReport>& reports) {
  std::vector<Setting> settings;
  for (const CalibrationReport& report : reports) {
    if (!alpha_number(report) || report.part) continue;
    const Setting wanted{name_of(report), stated(report.origin, "split"), stated(report.origin, "step"),
                         fmt::format("{} rows of {} classes", report.rows, report.classes)};
    auto found = std::find_if(settings.begin(), settings.end(),
                              [&](const Setting& setting) { return same(setting, wanted); });
    if (found == settings.end()) found = settings.insert(settings.end(), wanted);
    add(report, *alpha_number(report) == 0 ? found->hard : found->smoothed);
  }
  return settings;
}

template <typename Value>
double mean(const Reports& files, const Value& value) {
  std::vector<double> values;
  for (const auto* file : files) values.push_back(value(*file));
  std::sort(values.begin(), values.end());  // the same to the last bit in any order of files
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void note_repeated_run(const Reports& files, SmoothingComparison& row) {
  std::map<std::string, std::string> seen;
  for (const auto* file : files) {
    const std::string hash = stated(file->origin, "recipe_hash");
    if (hash.empty()) continue;
    const auto [other, is_new] = seen.emplace(hash, file->file);
    if (!is_new)
      row.notes.push_back(fmt::format("{} and {} are of one recipe and seed, yet counted as two runs.",
                                      other->second, file->file));
  }
}

void fill_hard(const Runs& runs, SmoothingComparison& row) {
  row.hard_runs = static_cast<int>(runs.files.size());
  row.hard_ece = mean(runs.files, [](const auto& file) { return file.unscaled.ece; });
  note_repeated_run(runs.files, row);
  if (std::any_of(runs.files.begin(), runs.files.end(), [](const auto* file) { return !file->scaled; }))
    return;
  row.hard_scaled_ece = mean(runs.files, [](const auto& file) { return file.scaled->ece; });
  row.temperature =
      std::exp(mean(runs.files, [](const auto& file) { return std::log(file.fit->temperature); }));
}

void fill_smoothed(const Runs& runs, SmoothingComparison& row) {
  row.alpha = runs.alpha;
  row.smoothed_runs = static_cast<int>(runs.files.size());
  row.smoothed_ece = mean(runs.files, [](const auto& file) { return file.unscaled.ece; });
  note_repeated_run(runs.files, row);
}

/// The hard runs that a smoothed row is set against, null where none are or where nothing says which.
const Runs* partner(const Setting& setting, const Runs& smoothed, SmoothingComparison& row) {
  for (const Runs& hard : setting.hard)
    if (hard.recipe == smoothed.recipe) return &hard;
  if (setting.hard.empty()) return nullptr;
  const std::string which = fmt::format("{}, alpha {:g}", row.name, smoothed.alpha);
  if (setting.hard.size() > 1) {
    row.notes.push_back(
        fmt::format("{} is set against no hard targets: those here are of {} recipes, and "
                    "none is its own but for alpha and seed.",
                    which, setting.hard.size()));
    return nullptr;
  }
  const Runs& hard = setting.hard.front();
  if (hard.recipe.empty() || smoothed.recipe.empty())
    row.notes.push_back(which + ": one side states no recipe, so the two may differ in more than alpha.");
  else
    row.notes.push_back(fmt::format("{}: its recipe differs from that of the hard targets beside alpha: {}.",
                                    which, fmt::join(differing_keys(hard.recipe, smoothed.recipe), ", ")));
  return &hard;
}

void name_settings(std::vector<Setting>& settings) {
  const auto qualify = [&](std::string Setting::*value, const char* before) {
    for (Setting& setting : settings) {
      const bool differs = std::any_of(settings.begin(), settings.end(), [&](const Setting& other) {
        return other.network == setting.network && other.*value != setting.*value;
      });
      if (differs && !(setting.*value).empty()) setting.name += before + setting.*value;
    }
  };
  for (Setting& setting : settings) setting.name = setting.network;
  qualify(&Setting::split, ", ");
  qualify(&Setting::step, ", step ");
  qualify(&Setting::shape, ", ");
}

bool has_several_conventions(const Setting& setting) {
  return std::any_of(setting.smoothed.begin(), setting.smoothed.end(), [&](const Runs& runs) {
    return runs.convention != setting.smoothed.front().convention;
  });
}

/// Where the side that a setting lacks is there in another split, at another step or of other rows.
void note_other_settings(const Setting& setting, const std::vector<Setting>& settings,
                         SmoothingComparison& row) {
  for (const Setting& other : settings)
    if (other.network == setting.network && ((setting.hard.empty() && !other.hard.empty()) ||
                                             (setting.smoothed.empty() && !other.smoothed.empty()))) {
      row.notes.push_back("Only evaluations of the same split, step and rows are set side by side.");
      return;
    }
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

std::string runs_text(int runs) {
  return runs > 1 ? fmt::format(" of {}", runs) : "";
}

}  // namespace

std::vector<SmoothingComparison> compare_smoothing(const std::vector<CalibrationReport>& reports) {
  std::vector<Setting> settings = settings_of(reports);
  name_settings(settings);
  std::vector<SmoothingComparison> rows;
  for (const Setting& setting : settings) {
    std::set<const Runs*> paired;
    for (const Runs& smoothed : setting.smoothed) {
      SmoothingComparison row;
      row.name = setting.name;
      if (has_several_conventions(setting)) row.name += ", " + smoothed.convention;
      if (const Runs* hard = partner(setting, smoothed, row)) {
        fill_hard(*hard, row);
        paired.insert(hard);
      }
      fill_smoothed(smoothed, row);
      note_other_settings(setting, settings, row);
      rows.push_back(row);
    }
    for (const Runs& hard : setting.hard) {
      if (paired.count(&hard) > 0) continue;
      SmoothingComparison row;
      row.name = setting.name;
      fill_hard(hard, row);
      note_other_settings(setting, settings, row);
      rows.push_back(row);
    }
  }
  return rows;
}

bool has_both_sides(const std::vector<SmoothingComparison>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.hard_ece.has_value(); }) &&
         std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.smoothed_ece.has_value(); });
}

std::vector<std::string> notes_of(const std::vector<SmoothingComparison>& rows) {
  std::vector<std::string> notes;
  for (const auto& row : rows)
    for (const auto& note : row.notes)
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  return notes;
}

std::string to_text(const std::vector<SmoothingComparison>& rows) {
  if (rows.empty()) return "";
  size_t width = 4;
  for (const auto& row : rows) width = std::max(width, printable(row.name).size());
  std::string text = fmt::format("  {:<{}}  {:>18}  {:>26}  {:>24}\n", "", width, "hard targets (ECE)",
                                 "temperature-scaled (ECE)", "smoothed (ECE)");
  for (const auto& row : rows) {
    std::string hard = number(row.hard_ece), scaled = number(row.hard_scaled_ece),
                smoothed = number(row.smoothed_ece);
    if (row.hard_ece) hard += runs_text(row.hard_runs);
    if (row.temperature) scaled += fmt::format(" (T={:.2f})", *row.temperature);
    if (row.smoothed_ece) smoothed += runs_text(row.smoothed_runs) + fmt::format(" (alpha={:g})", row.alpha);
    text +=
        fmt::format("  {:<{}}  {:>18}  {:>26}  {:>24}\n", printable(row.name), width, hard, scaled, smoothed);
  }
  if (std::any_of(rows.begin(), rows.end(),
                  [](const auto& row) { return row.hard_runs > 1 || row.smoothed_runs > 1; }))
    text += "  \"0.150 of 3\": mean over 3 runs; T is a geometric mean\n";
  for (const auto& note : notes_of(rows)) text += "  note: " + printable(note) + "\n";
  return text;
}

}  // namespace smoothlab::eval
