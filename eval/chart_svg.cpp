#include <fmt/format.h>

#include <cmath>

#include "eval/chart.h"
#include "eval/markup.h"

namespace smoothlab::eval {
namespace {

// Where things are, in units of the view box.
constexpr double left = 52, top = 8, frame_width = 336, frame_height = 236, width = 400, height = 292;
constexpr size_t most_dots = 80;  // of a line; more of them would hide it

/// From values to the view box.
class Frame {
 public:
  explicit Frame(const Chart& chart) : ranges_(chart_ranges(chart, frame_width, frame_height)) {}
  const ChartRanges& ranges() const { return ranges_; }
  double x(double value) const {
    return left + frame_width * (value - ranges_.x.low) / (ranges_.x.high - ranges_.x.low);
  }
  double y(double value) const {
    return top + frame_height * (ranges_.y.high - value) / (ranges_.y.high - ranges_.y.low);
  }

 private:
  ChartRanges ranges_;
};

std::string color_class(int color) {
  return fmt::format("c{}", static_cast<size_t>(color) % chart_palette().size());
}

bool shown(const ChartSeries& series, size_t i) {
  return std::isfinite(series.x[i]) && std::isfinite(series.y[i]);
}

std::string tip(const ChartSeries& series, size_t i) {
  if (i < series.tips.size()) return escape_markup(series.tips[i]);
  std::string text = series.name.empty() ? "" : series.name + ": ";
  text += fmt::format("{:.6g}, {:.4g}", series.x[i], series.y[i]);
  if (i < series.low.size()) text += fmt::format(" ({:.4g} to {:.4g})", series.low[i], series.high[i]);
  return escape_markup(text);
}

std::string axes(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const double tick : frame.ranges().y.ticks)
    svg += fmt::format(
        R"svg(<line class="grid" x1="{0:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{2:.1f}"/><text class="tick" x="{3:.1f}" y="{4:.1f}" text-anchor="end">{5:.6g}</text>)svg",
        left, left + frame_width, frame.y(tick), left - 6, frame.y(tick) + 4, tick);
  for (const double tick : frame.ranges().x.ticks)
    svg += fmt::format(
        R"svg(<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/><text class="tick" x="{0:.1f}" y="{3:.1f}" text-anchor="middle">{4:.6g}</text>)svg",
        frame.x(tick), top, top + frame_height, top + frame_height + 15, tick);
  svg += fmt::format(R"svg(<text class="axis-name" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)svg",
                     left + frame_width / 2, height - 12, escape_markup(chart.x.name));
  svg += fmt::format(
      R"svg(<text class="axis-name" transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
      top + frame_height / 2, escape_markup(chart.y.name));
  return svg + "\n";
}

std::string band(const ChartSeries& series, const Frame& frame) {
  if (series.low.empty()) return "";
  std::string there, back;
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!shown(series, i) || !std::isfinite(series.low[i]) || !std::isfinite(series.high[i])) continue;
    there += fmt::format("{:.1f},{:.1f} ", frame.x(series.x[i]), frame.y(series.high[i]));
    back.insert(0, fmt::format("{:.1f},{:.1f} ", frame.x(series.x[i]), frame.y(series.low[i])));
  }
  return fmt::format("<polygon class=\"band {}\" points=\"{}{}\"/>\n", color_class(series.color), there,
                     back);
}

std::string path(const ChartSeries& series, const Frame& frame) {
  std::string commands;
  bool joined = false;
  for (size_t i = 0; i < series.x.size(); ++i) {
    const bool here = shown(series, i);
    if (here)
      commands +=
          fmt::format("{}{:.1f} {:.1f}", joined ? "L" : "M", frame.x(series.x[i]), frame.y(series.y[i]));
    joined = here;
  }
  return fmt::format("<path class=\"curve {}{}\" d=\"{}\"/>\n", color_class(series.color),
                     series.dashed ? " dashed" : "", commands);
}

/// A line of many values has marks that show only where they are hovered over.
std::string dots(const ChartSeries& series, const Frame& frame) {
  const bool line = series.mark == ChartMark::line;
  const bool few = series.x.size() <= most_dots;
  std::string svg;
  const std::string color = color_class(series.color);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!shown(series, i)) continue;
    const double x = frame.x(series.x[i]), y = frame.y(series.y[i]);
    if (series.mark == ChartMark::triangles)
      svg += fmt::format(
          R"svg(<path class="mark template {}" d="M{:.1f} {:.1f}l8 14h-16z"><title>{}</title></path>)svg",
          color, x, y - 9, tip(series, i));
    else
      svg += fmt::format(
          R"svg(<circle class="{} {}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>)svg",
          line && !few ? "mark faint" : "mark", color, x, y, line ? (few ? 2.6 : 4.0) : 2.4, tip(series, i));
    svg += "\n";
  }
  return svg;
}

std::string references(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const ReferenceLine& line : chart.references)
    if (const auto part = clipped(line, frame.ranges()))
      svg += fmt::format(
          R"svg(<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"><title>{}</title></line>)svg",
          frame.x(part->x0), frame.y(part->y0), frame.x(part->x1), frame.y(part->y1),
          escape_markup(line.name));
  return svg + "\n";
}

std::string legend(const Chart& chart) {
  std::string items;
  for (const ChartSeries& series : chart.series)
    if (!series.name.empty())
      items += fmt::format("<li><span class=\"{}{}\"></span>{}</li>", color_class(series.color),
                           series.mark == ChartMark::triangles ? " template"
                           : series.dashed                     ? " dashed"
                                                               : "",
                           escape_markup(series.name));
  for (const ReferenceLine& line : chart.references)
    if (!line.name.empty()) items += "<li><span class=\"i\"></span>" + escape_markup(line.name) + "</li>";
  return items.empty() ? "" : "<ul class=\"legend\">" + items + "</ul>\n";
}

}  // namespace

std::string chart_svg(const Chart& chart, const std::string& id) {
  const Frame frame(chart);
  std::string svg = fmt::format(
      "<svg id=\"{}\" class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"{}-title\">\n"
      "<title id=\"{}-title\">{}</title>\n",
      id, width, height, id, id, escape_markup(chart.title));
  svg += axes(chart, frame);
  svg += fmt::format(
      "<clipPath id=\"{0}-frame\"><rect x=\"{1:.1f}\" y=\"{2:.1f}\" width=\"{3:.1f}\" height=\"{4:.1f}\"/></clipPath>\n"
      "<g clip-path=\"url(#{0}-frame)\">\n",
      id, left, top, frame_width, frame_height);
  for (const ChartSeries& series : chart.series) svg += band(series, frame);
  svg += references(chart, frame);
  for (const ChartSeries& series : chart.series) {
    if (series.mark == ChartMark::line) svg += path(series, frame);
    svg += dots(series, frame);
  }
  svg += fmt::format("</g>\n<path class=\"axis\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\"/>\n</svg>\n", left, top,
                     top + frame_height, left + frame_width);
  return svg;
}

std::string chart_figure(const Chart& chart, const std::string& id) {
  std::string html = "<figure><figcaption><b>" + escape_markup(chart.title) + "</b>";
  if (!chart.subtitle.empty()) html += "<span class=\"soft\">" + escape_markup(chart.subtitle) + "</span>";
  return html + "</figcaption>\n" + legend(chart) + chart_svg(chart, id) + "</figure>\n";
}

}  // namespace smoothlab::eval
