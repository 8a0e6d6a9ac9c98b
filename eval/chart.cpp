#include "eval/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace smoothlab::eval {
namespace {

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

/// 1, 2 or 5 times a power of ten: the smallest that is not below `length`.
double round_up(double length) {
  const double power = std::pow(10.0, std::floor(std::log10(length)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= length * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::vector<double> round_numbers(double low, double high) {
  constexpr double about = 5;  // steps between numbers
  const double step = round_up((high - low) / about);
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-6); i * step <= high + 1e-6 * step; ++i)
    ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

/// Where nothing is given, values get a little room; a number that is given is kept.
AxisRange range_of(const ChartAxis& axis, Extent extent) {
  if (extent.empty()) extent = {0, 1};
  double low = axis.low.value_or(extent.low), high = axis.high.value_or(extent.high);
  if (!(high > low)) {
    const double half = std::max(0.5e-3, 0.05 * std::abs(low));
    if (!axis.low) low -= half;
    if (!axis.high || axis.low) high = low + 2 * half;
  }
  const double room = 0.04 * (high - low);
  if (!axis.low) low -= room;
  if (!axis.high) high += room;
  return {low, high, {}};
}

void widen(AxisRange& range, double factor) {
  const double middle = (range.low + range.high) / 2, half = (range.high - range.low) / 2 * factor;
  range.low = middle - half;
  range.high = middle + half;
}

}  // namespace

const std::vector<std::string>& chart_palette() {
  static const std::vector<std::string> colors = {"#3f74b5", "#d9542b", "#1a8f5a", "#8b5fbf",
                                                  "#b8860b", "#0f8b9d", "#c2408f", "#6b7280"};
  return colors;
}

ChartRanges chart_ranges(const Chart& chart, double width, double height) {
  Extent x, y;
  for (const ChartSeries& series : chart.series)
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) continue;
      x.add(series.x[i]);
      y.add(series.y[i]);
      if (i < series.low.size()) y.add(series.low[i]);
      if (i < series.high.size()) y.add(series.high[i]);
    }
  ChartRanges ranges{range_of(chart.x, x), range_of(chart.y, y)};
  if (chart.equal_scale) {
    const double x_scale = (ranges.x.high - ranges.x.low) / width,
                 y_scale = (ranges.y.high - ranges.y.low) / height;
    if (x_scale < y_scale)
      widen(ranges.x, y_scale / x_scale);
    else
      widen(ranges.y, x_scale / y_scale);
  }
  ranges.x.ticks = round_numbers(ranges.x.low, ranges.x.high);
  ranges.y.ticks = round_numbers(ranges.y.low, ranges.y.high);
  return ranges;
}

std::optional<ReferenceLine> clipped(const ReferenceLine& line, const ChartRanges& ranges) {
  // Liang and Barsky: the part of the line's parameter that lies within every edge.
  double from = 0, to = 1;
  const double dx = line.x1 - line.x0, dy = line.y1 - line.y0;
  const double directions[] = {-dx, dx, -dy, dy};
  const double distances[] = {line.x0 - ranges.x.low, ranges.x.high - line.x0, line.y0 - ranges.y.low,
                              ranges.y.high - line.y0};
  for (int edge = 0; edge < 4; ++edge) {
    if (directions[edge] == 0 && distances[edge] < 0) return std::nullopt;
    if (directions[edge] == 0) continue;
    const double at = distances[edge] / directions[edge];
    if (directions[edge] < 0)
      from = std::max(from, at);
    else
      to = std::min(to, at);
  }
  if (from > to) return std::nullopt;
  return ReferenceLine{line.x0 + from * dx, line.y0 + from * dy, line.x0 + to * dx, line.y0 + to * dy,
                       line.name};
}

}  // namespace smoothlab::eval
