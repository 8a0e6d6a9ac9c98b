#include "eval/sweep_charts.h"

#include <utility>

#include "eval/seed_statistics.h"

namespace smoothlab::eval {
namespace {

template <typename Figure>
ChartSeries series_of(const SweptRuns& runs, const Figure& figure) {
  ChartSeries series;
  series.name = runs.name;
  series.color = runs.color;
  if (runs.sweeps.empty()) return series;
  for (const SweepPoint& first : runs.sweeps.front()->points) {
    std::vector<double> values;
    for (const TemperatureSweep* sweep : runs.sweeps) {
      const SweepPoint* point = sweep->at(first.temperature);
      const auto value = point ? figure(*point) : std::nullopt;
      if (value) values.push_back(*value);
    }
    if (values.size() < runs.sweeps.size()) continue;
    const SeedStatistics s = over_seeds(values);
    series.x.push_back(first.temperature);
    series.y.push_back(s.mean);
    if (values.size() < 2) continue;
    series.low.push_back(s.low);
    series.high.push_back(s.high);
  }
  return series;
}

}  // namespace

std::vector<Chart> sweep_charts(const std::vector<SweptRuns>& runs, bool lowercase) {
  std::vector<Chart> charts;
  const auto add = [&](const std::string& title, const std::string& axis, const auto& figure) {
    Chart chart;
    chart.title = title;
    chart.x.name = "temperature";
    chart.y.name = axis;
    for (const SweptRuns& one : runs) {
      ChartSeries series = series_of(one, figure);
      if (series.x.size() > 1) chart.series.push_back(std::move(series));
    }
    if (!chart.series.empty()) charts.push_back(std::move(chart));
  };
  add(lowercase ? "BLEU, lower-cased" : "BLEU", "BLEU",
      [lowercase](const SweepPoint& point) { return bleu_of(point, lowercase); });
  add("Expected calibration error", "ECE", [](const SweepPoint& point) { return point.ece; });
  add("Negative log-likelihood", "nats a token", [](const SweepPoint& point) { return point.nll; });
  return charts;
}

}  // namespace smoothlab::eval
