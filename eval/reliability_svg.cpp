#include "eval/reliability_svg.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/markup.h"

namespace smoothlab::eval {
namespace {

// Where things are, in units of the view box.
constexpr double left = 40, top = 10, side = 250, strip_top = 270, strip_height = 44, width = 300,
                 height = 352;

double x_at(double confidence) {
  return left + side * confidence;
}
double y_at(double accuracy) {
  return top + side * (1 - accuracy);
}

std::string rectangle(const char* kind, double x, double y, double w, double h, const std::string& tip) {
  return fmt::format(
             R"svg(<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>)svg",
             kind, x, y, w, h, tip) +
         "\n";
}

std::string axes() {
  std::string text;
  for (int tick = 0; tick <= 5; ++tick) {
    const double at = tick / 5.0;
    text += fmt::format(R"svg(<line class="grid" x1="{0:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{2:.1f}"/>)svg",
                        left, left + side, y_at(at));
    text += fmt::format(R"svg(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{:.1f}</text>)svg",
                        left - 6, y_at(at) + 4, at);
    text +=
        fmt::format(R"svg(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:.1f}</text>)svg",
                    x_at(at), strip_top + strip_height + 15, at);
    text += "\n";
  }
  text += fmt::format(
      R"svg(<text class="axis-name" x="{:.1f}" y="{:.1f}" text-anchor="middle">confidence</text>)svg",
      left + side / 2, height - 6);
  text += fmt::format(
      R"svg(<text class="axis-name" transform="translate(11 {:.1f}) rotate(-90)" text-anchor="middle">accuracy</text>)svg",
      top + side / 2);
  text += fmt::format(
      R"svg(<text class="axis-name" transform="translate(11 {:.1f}) rotate(-90)" text-anchor="middle">share</text>)svg",
      strip_top + strip_height / 2);
  return text + "\n";
}

}  // namespace

std::string reliability_svg(const ReliabilityPanel& panel, const std::string& id) {
  const ReliabilityBins& bins = panel.bins;
  const auto many = static_cast<double>(bins.count.size());
  double rows = 0, most = 0;
  for (double n : bins.count) {
    rows += n;
    most = std::max(most, n);
  }
  const std::string name = escape_markup(id) + "-title";
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}\">\n<title id=\"{}\">Reliability "
      "diagram, {}: {}"
      "</title>\n",
      width, height, name, name, escape_markup(panel.title), escape_markup(panel.subtitle));
  svg += axes();
  const double w = side / many;
  for (size_t b = 0; b < bins.count.size(); ++b) {
    const double n = bins.count[b];
    if (n == 0) continue;
    const double confidence = bins.confidence[b] / n, accuracy = bins.correct[b] / n;
    const double x = x_at(static_cast<double>(b) / many);
    const std::string tip =
        fmt::format("confidence {:.3f}, accuracy {:.3f}, {:.0f} rows", confidence, accuracy, n);
    svg += rectangle("bar", x + 0.5, y_at(accuracy), w - 1, side * accuracy, tip);
    const double low = std::min(confidence, accuracy), high = std::max(confidence, accuracy);
    svg += rectangle("gap", x + 0.5, y_at(high), w - 1, side * (high - low), tip);
    const double share = n / most * strip_height;
    svg += rectangle("share", x + 0.5, strip_top + strip_height - share, w - 1, share,
                     fmt::format("{:.1f} % of rows", 100 * n / rows));
  }
  svg += fmt::format(R"svg(<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)svg",
                     x_at(0), y_at(0), x_at(1), y_at(1));
  svg += fmt::format(
      "\n<path class=\"axis\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}M{:.1f} {:.1f}H{:.1f}\"/>\n</svg>\n", left, top,
      top + side, left + side, left, strip_top + strip_height, left + side);
  return svg;
}

}  // namespace smoothlab::eval
