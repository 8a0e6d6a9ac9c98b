#include "eval/report_charts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "eval/printable.h"
#include "eval/projection_figure.h"

namespace smoothlab::eval {
namespace {

/// A value at a step; none: the run has no such value there.
struct StepValue {
  int64_t step = 0;
  std::optional<double> value;
};

/// The mean over seeds at every step where a run has a value, the band from the least to the greatest.
template <typename Values>
ChartSeries series_of(const AlphaRuns& smoothing, int color, const Values& values) {
  std::map<int64_t, std::vector<double>> by_step;
  for (const ReportRun* run : smoothing.runs)
    for (const StepValue& at : values(*run))
      if (at.value) by_step[at.step].push_back(*at.value);
  ChartSeries series;
  series.name = smoothing.title();
  series.color = color;
  const bool several = smoothing.runs.size() > 1;
  for (const auto& [step, of_seeds] : by_step) {
    const SeedStatistics s = over_seeds(of_seeds);
    if (s.count == 0) continue;
    series.x.push_back(static_cast<double>(step));
    series.y.push_back(s.mean);
    if (!several) continue;
    series.low.push_back(s.low);
    series.high.push_back(s.high);
  }
  return series;
}

template <typename Values>
Chart chart_of(const ReportSubject& subject, const std::string& title, const std::string& axis,
               const Values& values) {
  Chart chart;
  chart.title = title;
  chart.x.name = "steps";
  chart.y.name = axis;
  int color = 0;
  for (const AlphaRuns& smoothing : subject.smoothing) {
    ChartSeries series = series_of(smoothing, color++, values);
    if (series.x.size() > 1) chart.series.push_back(std::move(series));
  }
  return chart;
}

template <typename Value>
auto of_evaluations(const Value& value) {
  return [value](const ReportRun& run) {
    std::vector<StepValue> values;
    for (const auto& evaluation : run.evaluations) values.push_back({evaluation.step, value(evaluation)});
    return values;
  };
}

std::vector<StepValue> losses(const ReportRun& run) {
  std::vector<StepValue> values;
  // More of them than a chart is wide in pixels would only make the page large.
  constexpr size_t most = 150;
  const size_t stride = run.training.size() / most + 1;
  for (size_t i = stride - 1; i < run.training.size(); i += stride)
    values.push_back({run.training[i].step, run.training[i].loss});
  return values;
}

using ClassNumbers = std::array<int64_t, 3>;

ClassNumbers numbers_of(const PenultimateProjection& projection) {
  ClassNumbers numbers{};
  for (size_t c = 0; c < numbers.size(); ++c) numbers[c] = projection.chosen[c].chosen.number;
  return numbers;
}

/// In the order in which runs have them.
std::vector<ClassNumbers> projected_triples(const ReportSubject& subject) {
  std::vector<ClassNumbers> triples;
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      for (const auto& one : run->projections) {
        const ClassNumbers numbers = numbers_of(one.projection);
        if (std::find(triples.begin(), triples.end(), numbers) == triples.end()) triples.push_back(numbers);
      }
  return triples;
}

const PenultimateProjection* first_projection(const AlphaRuns& smoothing, const ClassNumbers& triple,
                                              const std::string& split) {
  for (const ReportRun* run : smoothing.runs)
    for (const auto& one : run->projections)
      if (stated(one.projection.origin, "split") == split && numbers_of(one.projection) == triple)
        return &one.projection;
  return nullptr;
}

std::string class_list(const PenultimateProjection& projection) {
  return printable(fmt::format("{}", fmt::join(short_names(projection), ", ")));
}

std::vector<StepValue> informations(const ReportRun& run) {
  std::vector<StepValue> values;
  for (const auto& at : run.information) values.push_back({at.step, at.estimate.information});
  return values;
}

}  // namespace

std::vector<Chart> training_charts(const ReportSubject& subject) {
  using Evaluation = ReportRun::Evaluation;
  std::vector<Chart> charts = {chart_of(subject, "Accuracy", "accuracy, %",
                                        of_evaluations([](const Evaluation& e) { return 100 * e.accuracy; })),
                               chart_of(subject, "Expected calibration error", "ECE",
                                        of_evaluations([](const Evaluation& e) { return e.ece; })),
                               chart_of(subject, "Negative log-likelihood", "nats",
                                        of_evaluations([](const Evaluation& e) { return e.nll; })),
                               chart_of(subject, "Training loss", "nats, soft targets", losses)};
  std::vector<Chart> shown;
  for (Chart& chart : charts)
    if (!chart.series.empty()) shown.push_back(std::move(chart));
  return shown;
}

std::optional<Chart> information_chart(const ReportSubject& subject) {
  Chart chart = chart_of(subject, "Mutual information", "nats", informations);
  if (chart.series.empty()) return std::nullopt;
  double bound = 0, end = 0, most = std::log(2.0);
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      for (const auto& at : run->information) {
        bound = std::max(bound, at.estimate.bound);
        most = std::max(most, at.estimate.information);
        end = std::max(end, static_cast<double>(at.step));
      }
  chart.y.low = 0;
  chart.y.high = 1.12 * most;
  chart.references = {{0, std::log(2.0), end, std::log(2.0), "log 2: only the class is told"}};
  if (bound < *chart.y.high)
    chart.references.push_back(
        {0, bound, end, bound, fmt::format("log N = {:.2f}: every example is told", bound)});
  return chart;
}

std::vector<ProjectionCharts> projection_charts(const ReportSubject& subject) {
  std::vector<ProjectionCharts> groups;
  for (const ClassNumbers& triple : projected_triples(subject)) {
    ProjectionCharts& group = groups.emplace_back();
    for (const AlphaRuns* smoothing : {subject.hard(), subject.smoothed()}) {
      if (!smoothing) continue;
      for (const char* split : {"train", "validation", "test"}) {
        const PenultimateProjection* projection = first_projection(*smoothing, triple, split);
        if (!projection) continue;
        Chart& chart = group.charts.emplace_back(projection_chart(*projection));
        chart.title = smoothing->title() + ", " + split;
        group.classes = class_list(*projection);
      }
    }
    if (group.charts.empty()) groups.pop_back();
  }
  return groups;
}

}  // namespace smoothlab::eval
