#include "eval/chart_legend.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace smoothlab::eval {
namespace {

// A legend's size as parts of the frame: a line of it, a character, and what stands beside the words.
constexpr double line_height = 0.07, character_width = 0.018, sample_width = 0.1;
constexpr int steps_of_line = 32;

struct Box {
  double width = 0, height = 0;
};

/// What the legend needs, from its names.
Box legend_box(const Chart& chart) {
  Box box;
  const auto add = [&box](const std::string& name) {
    if (name.empty()) return;
    box.width = std::max(box.width, sample_width + character_width * static_cast<double>(name.size()));
    box.height += line_height;
  };
  for (const ChartSeries& series : chart.series) add(series.name);
  for (const ReferenceLine& line : chart.references) add(line.name);
  return box;
}

}  // namespace

std::string legend_corner(const Chart& chart, const ChartRanges& ranges) {
  struct Corner {
    bool top, right;
    const char* name;
    double hidden = 0;
  };
  std::array<Corner, 4> corners = {{{true, true, "top right noreverse Right"},
                                    {true, false, "top left reverse Left"},
                                    {false, true, "bottom right noreverse Right"},
                                    {false, false, "bottom left reverse Left"}}};
  const Box box = legend_box(chart);
  const auto add = [&](double x, double y, double weight) {
    if (!std::isfinite(x) || !std::isfinite(y)) return;
    const double across = (x - ranges.x.low) / (ranges.x.high - ranges.x.low),
                 up = (y - ranges.y.low) / (ranges.y.high - ranges.y.low);
    for (Corner& corner : corners)
      if ((corner.right ? 1 - across : across) < box.width && (corner.top ? 1 - up : up) < box.height)
        corner.hidden += weight;
  };
  const auto add_line = [&](double x0, double y0, double x1, double y1, double weight) {
    for (int i = 0; i < steps_of_line; ++i) {
      const double at = static_cast<double>(i) / steps_of_line;
      add(x0 + at * (x1 - x0), y0 + at * (y1 - y0), weight / steps_of_line);
    }
  };
  for (const ChartSeries& series : chart.series)
    for (size_t i = 0; i < series.x.size(); ++i) {
      add(series.x[i], series.y[i], 1);
      if (series.mark == ChartMark::line && i > 0)
        add_line(series.x[i - 1], series.y[i - 1], series.x[i], series.y[i], 4);
    }
  for (const ReferenceLine& line : chart.references)
    if (const auto part = clipped(line, ranges)) add_line(part->x0, part->y0, part->x1, part->y1, 4);
  return std::min_element(corners.begin(), corners.end(),
                          [](const Corner& a, const Corner& b) { return a.hidden < b.hidden; })
      ->name;
}

}  // namespace smoothlab::eval
