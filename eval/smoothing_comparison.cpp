#include "eval/smoothing_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace smoothlab::eval {
namespace {

std::string attribute(const CalibrationReport& report, const std::string& name) {
  const auto found = report.attributes.find(name);
  return found == report.attributes.end() ? "" : found->second;
}

std::optional<double> alpha_number(const CalibrationReport& report) {
  const std::string text = alpha_of(report);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return value;
}

std::string name_of(const CalibrationReport& report) {
  const std::string task = attribute(report, "task"), model = attribute(report, "model");
  if (task.empty() || model.empty()) return task + model;
  return task + " / " + model;
}

void fill_hard(const CalibrationReport& report, SmoothingComparison& row) {
  row.hard_ece = report.unscaled.ece;
  if (!report.scaled) return;
  row.hard_scaled_ece = report.scaled->ece;
  row.temperature = report.fit->temperature;
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

}  // namespace

std::vector<SmoothingComparison> compare_smoothing(const std::vector<CalibrationReport>& reports) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const CalibrationReport*>> groups;
  for (const CalibrationReport& report : reports) {
    if (!alpha_number(report)) continue;
    const std::string key = name_of(report) + "\n" + attribute(report, "split");
    if (groups.count(key) == 0) order.push_back(key);
    groups[key].push_back(&report);
  }
  std::vector<SmoothingComparison> rows;
  for (const std::string& key : order) {
    const CalibrationReport* hard = nullptr;
    bool paired = false;
    for (const auto* report : groups[key])
      if (!hard && *alpha_number(*report) == 0) hard = report;
    for (const auto* report : groups[key]) {
      if (*alpha_number(*report) == 0) continue;
      SmoothingComparison row;
      row.name = name_of(*report);
      if (hard) fill_hard(*hard, row);
      row.alpha = *alpha_number(*report);
      row.smoothed_ece = report->unscaled.ece;
      rows.push_back(row);
      paired = true;
    }
    if (hard && !paired) {
      SmoothingComparison row;
      row.name = name_of(*hard);
      fill_hard(*hard, row);
      rows.push_back(row);
    }
  }
  return rows;
}

std::string to_text(const std::vector<SmoothingComparison>& rows) {
  if (rows.empty()) return "";
  size_t width = 4;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("  {:<{}}  {:>18}  {:>26}  {:>18}\n", "", width, "hard targets (ECE)",
                                 "temperature-scaled (ECE)", "smoothed (ECE)");
  for (const auto& row : rows) {
    std::string scaled = number(row.hard_scaled_ece), smoothed = number(row.smoothed_ece);
    if (row.temperature) scaled += fmt::format(" (T={:.2f})", *row.temperature);
    if (row.smoothed_ece) smoothed += fmt::format(" (alpha={:g})", row.alpha);
    text += fmt::format("  {:<{}}  {:>18}  {:>26}  {:>18}\n", row.name, width, number(row.hard_ece), scaled,
                        smoothed);
  }
  return text;
}

}  // namespace smoothlab::eval
