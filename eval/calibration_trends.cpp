#include "eval/calibration_trends.h"

#include <functional>
#include <string>

#include "eval/step_chart.h"

namespace smoothlab::eval {

std::vector<Chart> calibration_trends(const std::vector<CalibrationReport>& reports) {
  const auto files = stated_files(reports);
  const auto series = step_series(files);
  if (!has_trajectory(series, files)) return {};
  struct Measure {
    std::string title, unit;
    std::function<std::optional<double>(const CalibrationReport&)> of;
  };
  const std::vector<Measure> measures = {
      {"ECE", "", [](const auto& r) { return r.unscaled.ece; }},
      {"ECE at the fitted temperature", "",
       [](const auto& r) { return r.scaled ? std::optional(r.scaled->ece) : std::nullopt; }},
      {"fitted temperature", "",
       [](const auto& r) { return r.fit ? std::optional(r.fit->temperature) : std::nullopt; }},
      {"NLL", "nats", [](const auto& r) { return r.unscaled.nll; }},
      {"accuracy", "%", [](const auto& r) { return 100 * r.unscaled.accuracy; }}};
  std::vector<Chart> charts;
  for (const Measure& measure : measures) {
    Chart chart;
    chart.title = measure.title;
    chart.y.name = measure.unit;
    add_step_lines(chart, series, files, charts.empty(),
                   [&](size_t file) { return measure.of(reports[file]); });
    charts.push_back(std::move(chart));
  }
  return charts;
}

}  // namespace smoothlab::eval
