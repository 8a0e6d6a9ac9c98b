#include "eval/projection_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "eval/printable.h"
#include "eval/step_chart.h"

namespace smoothlab::eval {
namespace {

constexpr size_t most_steps = 5;

double length(PlanePoint p) {
  return std::hypot(p.x, p.y);
}

double two_digits(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
  return std::round(value / unit) * unit;
}

/// So that the longest template ends a little beyond the farthest of the classes' means.
double template_scale(const PenultimateProjection& projection) {
  double mean = 0, longest = 0;
  for (const ProjectedClass& one : projection.chosen) {
    mean = std::max(mean, length(one.mean));
    longest = std::max(longest, length(one.template_at));
  }
  return mean > 0 ? two_digits(1.25 * mean / longest) : 1;
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "none";
}

void add_boundaries(const PenultimateProjection& projection, Chart& chart) {
  double reach = 0;
  for (const ChartSeries& series : chart.series)
    for (size_t i = 0; i < series.x.size(); ++i)
      reach = std::max({reach, std::abs(series.x[i]), std::abs(series.y[i])});
  for (size_t opposite = 0; opposite < 3; ++opposite) {
    const PlanePoint end = (100 * reach) * projection.plane.boundary(opposite);
    chart.references.push_back({0, 0, end.x, end.y, opposite == 0 ? "equal logits" : ""});
  }
}

/// `count` of the files of a series, from the first to the last.
std::vector<size_t> spaced(const std::vector<size_t>& files, size_t count) {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i)
    chosen.push_back(files[count == 1 ? files.size() - 1 : i * (files.size() - 1) / (count - 1)]);
  return chosen;
}

/// How many series each run has, where all have as many; else 0.
size_t series_a_run(const std::vector<StepSeries>& series) {
  std::vector<size_t> count(series.size(), 0);
  for (const StepSeries& one : series) ++count[static_cast<size_t>(one.run)];
  while (!count.empty() && count.back() == 0) count.pop_back();
  return std::all_of(count.begin(), count.end(), [&](size_t n) { return n == count[0]; }) ? count[0] : 0;
}

}  // namespace

Chart projection_chart(const PenultimateProjection& projection) {
  Chart chart;
  const double scale = template_scale(projection);
  chart.title = origin_title({projection.file, projection.origin});
  chart.subtitle = fmt::format("spread {}, regularity {}; templates × {:g}", number(projection.spread),
                               number(projection.means.regularity), scale);
  chart.equal_scale = true;
  const auto names = short_names(projection);
  const auto name = [&](size_t c) { return printable(names[c]); };
  chart.x.name = fmt::format("from {} to {}", name(0), name(1));
  chart.y.name = fmt::format("towards {}", name(2));
  for (size_t c = 0; c < 3; ++c) {
    ChartSeries& dots = chart.series.emplace_back();
    dots.name = name(c);
    dots.color = static_cast<int>(c);
    dots.mark = ChartMark::points;
    for (const ProjectedExample& example : projection.examples) {
      if (example.which != static_cast<int>(c)) continue;
      dots.x.push_back(example.at.x);
      dots.y.push_back(example.at.y);
      dots.tips.push_back(fmt::format("{}, sample {}: {:.4g}, {:.4g}", name(c), example.sample_id,
                                      example.at.x, example.at.y));
    }
  }
  for (size_t c = 0; c < 3; ++c) {
    const PlanePoint at = projection.chosen[c].template_at;
    ChartSeries& triangle = chart.series.emplace_back();
    triangle.color = static_cast<int>(c);
    triangle.mark = ChartMark::triangles;
    triangle.x = {scale * at.x};
    triangle.y = {scale * at.y};
    triangle.tips = {fmt::format("template of {}: {:.4g}, {:.4g}", name(c), at.x, at.y)};
  }
  add_boundaries(projection, chart);
  return chart;
}

ChartGrid projection_grid(const std::vector<PenultimateProjection>& projections) {
  const auto files = stated_files(projections);
  const auto series = step_series(files);
  ChartGrid grid;
  std::vector<size_t> order;
  if (has_trajectory(series, files)) {
    size_t least = most_steps;
    for (const StepSeries& one : series) least = std::min(least, one_a_step(one, files).size());
    for (const StepSeries& one : series)
      for (const size_t file : spaced(one_a_step(one, files), least)) order.push_back(file);
    grid.columns = static_cast<int>(least);
  } else {
    order = in_series_order(series);
  }
  if (grid.columns == 1) {
    const size_t splits = order.size() == series.size() ? series_a_run(series) : 0;
    grid.columns = static_cast<int>(splits > 1 ? splits : std::min<size_t>(order.size(), 2));
  }
  for (const size_t file : order) {
    grid.charts.push_back(projection_chart(projections[file]));
    if (grid.charts.size() == 1) continue;
    for (ChartSeries& one : grid.charts.back().series) one.name.clear();
    for (ReferenceLine& line : grid.charts.back().references) line.name.clear();
  }
  return grid;
}

ChartGrid projection_trends(const std::vector<PenultimateProjection>& projections) {
  const auto files = stated_files(projections);
  const auto series = step_series(files);
  if (!has_trajectory(series, files)) return {};
  using Measure = std::function<std::optional<double>(const PenultimateProjection&)>;
  const std::vector<std::pair<std::string, Measure>> measures = {
      {"spread", [](const auto& one) { return one.spread; }},
      {"spread in all dimensions", [](const auto& one) { return one.spread_full; }},
      {"regularity", [](const auto& one) { return one.means.regularity; }}};
  ChartGrid grid;
  grid.columns = static_cast<int>(measures.size());
  for (const auto& [name, measure] : measures) {
    Chart& chart = grid.charts.emplace_back();
    chart.title = name;
    chart.y.low = 0;
    if (name == "regularity") chart.y.high = 1.05;
    const bool legend = grid.charts.size() == 1;  // it is the same for all
    add_step_lines(chart, series, files, legend, [&](size_t file) { return measure(projections[file]); });
  }
  return grid;
}

}  // namespace smoothlab::eval
