#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/chart.h"
#include "eval/chart_legend.h"
#include "eval/gnuplot.h"

namespace smoothlab::eval {
namespace {

// In CSS pixels.
constexpr int cell_width = 460, cell_height = 380, title_height = 44;
constexpr double frame_left = 66, frame_right = 16, frame_top = 52, frame_bottom = 56;

std::string color_of(const ChartSeries& series) {
  return chart_palette()[static_cast<size_t>(series.color) % chart_palette().size()];
}

/// Columns: x, y, low, high; an empty line where the series has a gap.
std::string data_block(const std::string& name, const ChartSeries& series) {
  std::string text = "$" + name + " << END\n";
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
      text += "\n";
      continue;
    }
    const double low = i < series.low.size() ? series.low[i] : series.y[i],
                 high = i < series.high.size() ? series.high[i] : series.y[i];
    text += fmt::format("{:.9g} {:.9g} {:.9g} {:.9g}\n", series.x[i], series.y[i], low, high);
  }
  return text + "END\n";
}

std::string title_of(const std::string& name) {
  return name.empty() ? "notitle" : "title " + gnuplot_quoted(name);
}

std::string plotted(const ChartSeries& series, const std::string& data) {
  const std::string color = color_of(series), title = title_of(series.name);
  switch (series.mark) {
    case ChartMark::line:
      return fmt::format(
          "${} using 1:2 with linespoints linecolor '{}' dashtype {} pointtype 7 pointsize {} linewidth 1.6 {}",
          data, color, series.dashed ? 2 : 1, series.x.size() > 40 ? "0" : "0.35", title);
    case ChartMark::points:
      return fmt::format("${} using 1:2 with points linecolor '{}' pointtype 7 pointsize {} {}", data, color,
                         series.x.size() > 1000 ? "0.3" : "0.5", title);
    default:
      return fmt::format(
          "${0} using 1:2 with points linecolor '#111111' pointtype 9 pointsize 2.1 notitle, "
          "${0} using 1:2 with points linecolor '{1}' pointtype 9 pointsize 1.6 {2}",
          data, color, title);
  }
}

std::string axis_script(const char* axis, const AxisRange& range) {
  std::string ticks;
  for (const double tick : range.ticks) ticks += fmt::format("{}{:.9g}", ticks.empty() ? "" : ",", tick);
  return fmt::format("set {0}range [{1:.9g}:{2:.9g}]\nset {0}tics ({3})\n", axis, range.low, range.high,
                     ticks);
}

/// Where a chart stands in the picture, in CSS pixels from the left and the top.
struct Cell {
  double x, y, picture_width, picture_height;
  double across(double pixels) const { return (x + pixels) / picture_width; }
  double up(double pixels) const { return 1 - (y + pixels) / picture_height; }
};

std::string chart_script(const Chart& chart, const std::string& data, const Cell& cell, FigureFormat format) {
  const double width = cell_width - frame_left - frame_right, height = cell_height - frame_top - frame_bottom;
  const ChartRanges ranges = chart_ranges(chart, width, height);
  std::string script = fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n",
      cell.across(frame_left), cell.across(cell_width - frame_right), cell.up(frame_top),
      cell.up(cell_height - frame_bottom));
  script += axis_script("x", ranges.x) + axis_script("y", ranges.y);
  script += fmt::format("set xlabel {} noenhanced\nset ylabel {} noenhanced\n", gnuplot_quoted(chart.x.name),
                        gnuplot_quoted(chart.y.name));
  script += fmt::format("set label 1 {} at screen {:.5f},{:.5f} center font ',{}' noenhanced\n",
                        gnuplot_quoted(chart.title), cell.across(frame_left + width / 2), cell.up(18),
                        figure_text_size(format, 14));
  script +=
      fmt::format("set label 2 {} at screen {:.5f},{:.5f} center textcolor '#555555' font ',{}' noenhanced\n",
                  gnuplot_quoted(chart.subtitle), cell.across(frame_left + width / 2), cell.up(38),
                  figure_text_size(format, 12));
  std::string plots;
  const auto add = [&plots](const std::string& plot) {
    plots += (plots.empty() ? "plot " : ", \\\n     ") + plot;
  };
  for (size_t s = 0; s < chart.series.size(); ++s)
    if (!chart.series[s].low.empty())
      add(fmt::format(
          "${}_{} using 1:3:4 with filledcurves fillcolor '{}' fillstyle transparent solid 0.18 noborder notitle",
          data, s, color_of(chart.series[s])));
  int arrow = 1;
  for (const ReferenceLine& line : chart.references) {
    if (const auto part = clipped(line, ranges))
      script += fmt::format("set arrow {} from {:.9g},{:.9g} to {:.9g},{:.9g} nohead linestyle 3\n", arrow++,
                            part->x0, part->y0, part->x1, part->y1);
    if (!line.name.empty()) add("keyentry with lines linestyle 3 " + title_of(line.name));
  }
  for (size_t s = 0; s < chart.series.size(); ++s)
    add(plotted(chart.series[s], fmt::format("{}_{}", data, s)));
  if (plots.empty()) plots = "plot NaN notitle";
  script += "set key " + legend_corner(chart, ranges) + "\n";
  return script + plots + "\nunset label\nunset arrow\n";
}

}  // namespace

std::string draw_charts(const std::string& title, const std::vector<Chart>& charts, int columns,
                        FigureFormat format) {
  const int count = static_cast<int>(charts.size());
  columns = std::max(1, std::min(columns, count));
  const int rows = (count + columns - 1) / columns, head = title.empty() ? 0 : title_height;
  const int width = columns * cell_width, height = head + std::max(1, rows) * cell_height;
  std::string script = "set encoding utf8\n" + figure_terminal(format, width, height);
  for (int c = 0; c < count; ++c)
    for (size_t s = 0; s < charts[static_cast<size_t>(c)].series.size(); ++s)
      script += data_block(fmt::format("chart{}_{}", c, s), charts[static_cast<size_t>(c)].series[s]);
  script += fmt::format(
      "set border 3 linecolor '#444444'\nset tics nomirror scale 0.5 textcolor '#222222'\n"
      "set grid linecolor '#dddddd' linewidth 0.6\nset style line 3 linecolor '#444444' dashtype 2 linewidth 1.2\n"
      "set key opaque font ',{}' noenhanced samplen 2.4\nset multiplot\n",
      figure_text_size(format, 11));
  if (head > 0)
    script += fmt::format("set label 9 {} at screen 0.5,{:.5f} center font ',{}' noenhanced\n",
                          gnuplot_quoted(title), 1 - 26.0 / height, figure_text_size(format, 17));
  for (int c = 0; c < count; ++c) {
    const Cell cell{static_cast<double>(c % columns * cell_width),
                    static_cast<double>(head + c / columns * cell_height), static_cast<double>(width),
                    static_cast<double>(height)};
    script += chart_script(charts[static_cast<size_t>(c)], fmt::format("chart{}", c), cell, format);
  }
  return marked_figure(run_gnuplot(script + "unset multiplot\n"), format);
}

}  // namespace smoothlab::eval
