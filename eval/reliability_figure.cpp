#include "eval/reliability_figure.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/file_system.h"
#include "eval/gnuplot.h"
#include "eval/printable.h"

namespace smoothlab::eval {
namespace {

constexpr int panel_width = 460, figure_height = 560;

/// Columns: low, high, confidence, accuracy, share. Empty bins are left out.
std::string data_block(const std::string& name, const ReliabilityBins& bins) {
  std::string text = "$" + name + " << END\n";
  const auto many = static_cast<double>(bins.count.size());
  double rows = 0;
  for (double n : bins.count) rows += n;
  for (size_t b = 0; b < bins.count.size(); ++b) {
    const double n = bins.count[b];
    if (n == 0) continue;
    const auto at = static_cast<double>(b);
    text += fmt::format("{:.9g} {:.9g} {:.9g} {:.9g} {:.9g}\n", at / many, (at + 1) / many,
                        bins.confidence[b] / n, bins.correct[b] / n, n / rows);
  }
  return text + "END\n";
}

bool empty(const ReliabilityBins& bins) {
  for (double n : bins.count)
    if (n > 0) return false;
  return true;
}

/// Of rows in one bin; 1 where there are none, as an axis must have a length.
double largest_share(const ReliabilityBins& bins) {
  double rows = 0, most = 0;
  for (double n : bins.count) {
    rows += n;
    most = std::max(most, n);
  }
  return rows > 0 ? most / rows : 1;
}

/// A panel between the given parts of the figure's width, 0 … 1.
std::string panel_script(const std::string& data, const ReliabilityPanel& panel, FigureFormat format,
                         double left, double right) {
  const std::string bars =
      empty(panel.bins)
          ? "plot x with lines linestyle 3 notitle\n"
          : fmt::format(
                "plot ${0} using (($1+$2)/2):4:1:2:(0):4 with boxxyerror fillcolor '#3f74b5' fillstyle solid "
                "1.0 "
                "border linecolor '#ffffff' title 'accuracy', \\\n"
                "     ${0} using (($1+$2)/2):4:1:2:($4<$3?$4:$3):($4<$3?$3:$4) with boxxyerror fillcolor "
                "'#d9542b' "
                "fillstyle transparent solid 0.45 border linecolor '#d9542b' title 'gap to confidence', \\\n"
                "     x with lines linestyle 3 title 'perfect'\n",
                data);
  std::string script = fmt::format(
      "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\n"
      "set tmargin at screen 0.80\nset bmargin at screen 0.30\n"
      "set label 1 {} at graph 0.5, 1.13 center font ',{}' noenhanced\n"
      "set label 2 {} at graph 0.5, 1.05 center textcolor '#555555' noenhanced\n"
      "set xrange [0:1]\nset yrange [0:1]\nset xtics 0.2 format ''\nset ytics 0.2 format '%.1f'\n"
      "unset xlabel\nset ylabel 'accuracy' offset 0.4,0\n"
      "set key top left Left reverse samplen 1.4 spacing 1.1\n",
      left, right, gnuplot_quoted(panel.title), figure_text_size(format, 15), gnuplot_quoted(panel.subtitle));
  script += bars;
  script +=
      "unset label\nset tmargin at screen 0.27\nset bmargin at screen 0.13\n"
      "set xtics 0.2 format '%.1f'\nset xlabel 'confidence' offset 0,0.3\nset ylabel 'share' offset 0.4,0\n"
      "unset key\n";
  const double top = largest_share(panel.bins);
  script += fmt::format("set yrange [0:{0:.4f}]\nset ytics ('0' 0, '{0:.2f}' {0:.4f})\n", top);
  script += empty(panel.bins)
                ? "plot -1 notitle\n"
                : fmt::format(
                      "plot ${} using (($1+$2)/2):5:1:2:(0):5 with boxxyerror fillcolor '#8a8f98' fillstyle "
                      "solid 1.0 border linecolor '#ffffff' notitle\n",
                      data);
  return script;
}

ReliabilityPanel panel(const std::string& title, const CalibrationMetrics& metrics) {
  std::string subtitle = fmt::format("ECE {:.3f}", metrics.ece);
  if (metrics.ece_ci95)
    subtitle += fmt::format(" ({:.3f}–{:.3f})", metrics.ece_ci95->low, metrics.ece_ci95->high);
  return {title, subtitle, metrics.bins};
}

}  // namespace

std::vector<ReliabilityPanel> reliability_panels(const CalibrationReport& report) {
  std::vector<ReliabilityPanel> panels{panel("unscaled, T = 1", report.unscaled)};
  if (report.scaled)
    panels.push_back(
        panel(fmt::format("temperature-scaled, T = {:.2f}", report.fit->temperature), *report.scaled));
  return panels;
}

std::string figure_title(const CalibrationReport& report) {
  std::string title = report.file.substr(report.file.find_last_of('/') + 1);
  if (!alpha_of(report).empty()) title += ", α = " + alpha_of(report);
  return printable(title);
}

std::string reliability_figure(const std::string& title, const std::vector<ReliabilityPanel>& panels,
                               FigureFormat format) {
  const auto count = static_cast<double>(panels.size());
  std::string script = "set encoding utf8\n" +
                       figure_terminal(format, panel_width * static_cast<int>(panels.size()), figure_height);
  for (size_t i = 0; i < panels.size(); ++i) script += data_block(fmt::format("bins{}", i), panels[i].bins);
  script +=
      "set border 3 linecolor '#444444'\nset tics nomirror scale 0.5 textcolor '#222222'\n"
      "set grid ytics linecolor '#dddddd' linewidth 0.6\nset style line 3 linecolor '#222222' dashtype 2 "
      "linewidth 1.4\n"
      "set samples 2\n";
  script += "set multiplot\n";
  script += fmt::format("set label 9 {} at screen 0.5, 0.955 center font ',{}' noenhanced\n",
                        gnuplot_quoted(title), figure_text_size(format, 17));
  for (size_t i = 0; i < panels.size(); ++i) {
    const double left = (static_cast<double>(i) + 0.16) / count,
                 right = (static_cast<double>(i) + 0.95) / count;
    script += panel_script(fmt::format("bins{}", i), panels[i], format, left, right);
  }
  script += "unset multiplot\n";
  return marked_figure(run_gnuplot(script), format);
}

void write_reliability_figures(const CalibrationReport& report, const std::string& stem,
                               const std::vector<FigureFormat>& formats) {
  const auto panels = reliability_panels(report);
  for (const FigureFormat format : formats)
    cluster::write_file_whole(*cluster::local_file_system(), stem + "." + name_of(format),
                              reliability_figure(figure_title(report), panels, format));
}

}  // namespace smoothlab::eval
