#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/figure_format.h"

namespace smoothlab::eval {

/// How the values of a series are shown. line: joined, a dot for each where there are few. points: a dot
/// each. triangles: larger, for templates.
enum class ChartMark { line, points, triangles };

struct ChartSeries {
  std::string name;  ///< in the legend; empty: not there
  int color = 0;     ///< number in the palette, which goes round
  ChartMark mark = ChartMark::line;
  std::vector<double> x, y;       ///< values that are not finite leave a gap
  std::vector<double> low, high;  ///< a band around y, as long as it; empty: none
  std::vector<std::string> tips;  ///< what hovering over a mark says; empty: its name and values
  bool dashed = false;
};

struct ChartAxis {
  std::string name;
  std::optional<double> low, high;  ///< without them as far as the values go
};

/// A dashed line across the frame, for what is expected.
struct ReferenceLine {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  std::string name;  ///< in the legend; empty: not there
};

/// A picture of values against values; nothing but numbers and words.
struct Chart {
  std::string title, subtitle;
  ChartAxis x, y;
  std::vector<ChartSeries> series;
  std::vector<ReferenceLine> references;
  bool equal_scale = false;  ///< a unit is as long on both axes
};

/// What a chart shows of an axis, and the round numbers on it.
struct AxisRange {
  double low = 0, high = 1;
  std::vector<double> ticks;
};

/// The ranges of both axes: those that are given, else what holds every finite value with a little room; not
/// empty. With equal_scale, for a frame of width × height.
struct ChartRanges {
  AxisRange x, y;
};
ChartRanges chart_ranges(const Chart& chart, double width, double height);

/// Colours of the palette on white, "#3f74b5".
const std::vector<std::string>& chart_palette();

/// The part of a reference line that shows in the ranges; none where it does not.
std::optional<ReferenceLine> clipped(const ReferenceLine& line, const ChartRanges& ranges);

/// A chart as an <svg> element for a page with page_style.h, which gives it colours for light, dark and
/// paper. Hovering over a mark shows its values. Ids in it begin with `id`, unique in the page.
std::string chart_svg(const Chart& chart, const std::string& id);
/// The same with title, subtitle and legend, as a <figure>.
std::string chart_figure(const Chart& chart, const std::string& id);

/// Charts in rows of `columns`, under a title (which may be empty), drawn by gnuplot; the picture's bytes.
/// Throws EnvironmentError where gnuplot is not installed, RunError with its message where it fails.
std::string draw_charts(const std::string& title, const std::vector<Chart>& charts, int columns,
                        FigureFormat format);

}  // namespace smoothlab::eval
