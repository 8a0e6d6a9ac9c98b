#include "eval/calibration_page.h"

#include <fmt/format.h>

#include <cmath>

#include "eval/calibration_trends.h"
#include "eval/markup.h"
#include "eval/page.h"
#include "eval/reliability_svg.h"

namespace smoothlab::eval {
namespace {

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "–";
}

std::string runs_text(int runs) {
  return runs > 1 ? fmt::format("mean of {} runs", runs) : "";
}

std::string smoothed_aside(const SmoothingComparison& row) {
  const std::string runs = runs_text(row.smoothed_runs);
  return fmt::format("α = {:g}", row.alpha) + (runs.empty() ? "" : ", " + runs);
}

std::string comparison_row(const SmoothingComparison& row, bool published) {
  return fmt::format("<tr{}>", published ? " class=\"published\"" : "") +
         page_cell(escape_markup(row.name) + (published ? " (paper)" : "")) +
         page_cell(number(row.hard_ece), row.hard_ece ? runs_text(row.hard_runs) : "") +
         page_cell(number(row.hard_scaled_ece),
                   row.temperature ? fmt::format("T = {:.2f}", *row.temperature) : "") +
         page_cell(number(row.smoothed_ece), row.smoothed_ece ? smoothed_aside(row) : "") + "</tr>\n";
}

std::string comparison(const std::vector<CalibrationReport>& reports, const PageOptions& options) {
  const auto rows = compare_smoothing(reports);
  if (rows.empty()) return "";
  std::string lines;
  for (const auto& row : rows) lines += comparison_row(row, false);
  for (const auto& row : options.published) lines += comparison_row(row, true);
  return "<h2>What smoothing did to calibration</h2>\n" +
         page_table({"Expected calibration error", "hard targets, α = 0", "the same, temperature-scaled",
                     "label smoothing"},
                    lines) +
         "<p class=\"soft\">Rows set evaluations of the same split, step and rows "
         "side by side. Files of recipes that differ only in seed, α and convention are runs of one thing: "
         "of several, the figure is their mean (of T the geometric one).</p>\n" +
         page_notes(notes_of(rows));
}

std::string diagrams(const std::vector<CalibrationReport>& reports) {
  std::string html =
      "<h2>Reliability</h2>\n"
      "<p>Answers given with the same confidence share a bin; the bar is the part of them that is right. "
      "Under the dashed line the network claims more than it knows, above it less. Below each diagram: how "
      "the answers are spread over the bins.</p>\n"
      "<ul class=\"legend\"><li><span class=\"b\"></span>accuracy of the bin</li>"
      "<li><span class=\"g\"></span>gap to its confidence</li>"
      "<li><span class=\"i\"></span>perfect calibration</li></ul>\n<div class=\"diagrams\">\n";
  int count = 0;
  for (const auto& report : reports)
    for (const auto& panel : reliability_panels(report)) {
      html += fmt::format("<figure><figcaption><b>{}</b>{}<br><span class=\"soft\">{}</span></figcaption>\n",
                          escape_markup(figure_title(report)), escape_markup(panel.title),
                          escape_markup(panel.subtitle));
      html += reliability_svg(panel, fmt::format("diagram-{}", count++)) + "</figure>\n";
    }
  return html + "</div>\n";
}

std::string trends(const std::vector<CalibrationReport>& reports) {
  std::string html;
  int count = 0;
  for (const Chart& chart : calibration_trends(reports))
    html += chart_figure(chart, fmt::format("trend-{}", count++));
  return html.empty() ? "" : "<h2>While training</h2>\n<div class=\"diagrams pairs\">\n" + html + "</div>\n";
}

/// What a summary does not tell is a dash.
std::string known(double value, int digits = 4) {
  return std::isnan(value) ? "–" : fmt::format("{:.{}f}", value, digits);
}

std::string metrics_row(const std::string& name, const std::string& temperature,
                        const CalibrationMetrics& m) {
  const std::string interval =
      m.ece_ci95 ? fmt::format("{:.3f}–{:.3f}", m.ece_ci95->low, m.ece_ci95->high) : std::string();
  std::string html = "<tr>" + page_cell(name) + page_cell(temperature) +
                     page_cell(fmt::format("{:.2f}", 100 * m.accuracy)) +
                     page_cell(known(100 * m.top5_accuracy, 2));
  html +=
      page_cell(fmt::format(std::abs(m.nll) < 1e6 ? "{:.4f}" : "{:.4e}", m.nll)) + page_cell(known(m.brier));
  html += page_cell(fmt::format("{:.4f}", m.ece), interval);
  for (double value : {m.ece_adaptive, m.ece_classwise, m.ece_debiased, m.mce})
    html += page_cell(known(value));
  return html + "</tr>\n";
}

std::string file_line(const CalibrationReport& report) {
  std::string text =
      fmt::format("{} · {} rows · {} classes", figure_title(report), report.rows, report.classes);
  for (const char* name : {"convention", "task", "model", "split", "step"}) {
    const std::string value = stated(report.origin, name);
    if (!value.empty()) text += fmt::format(" · {} {}", name, value);
  }
  if (report.real)
    text += fmt::format(" · ReaL accuracy {:.2f} %, of {} images", 100 * report.real->accuracy(),
                        report.real->images);
  return "<tr class=\"file\"><td colspan=\"11\">" + escape_markup(text) + "</td></tr>\n";
}

std::string metrics(const std::vector<CalibrationReport>& reports) {
  std::string lines;
  for (const auto& report : reports) {
    lines += file_line(report) + metrics_row("none", "1", report.unscaled);
    if (report.scaled)
      lines += metrics_row(report.fit->end == FitEnd::given ? "given" : "in-sample",
                           fmt::format("{:.3f}", report.fit->temperature), *report.scaled);
    if (report.held_out)
      lines +=
          metrics_row("held-out", fmt::format("{:.3f}", *report.held_out_temperature()), *report.held_out);
  }
  std::vector<std::string> notes;
  for (const auto& report : reports)
    for (const auto& note : report.notes) notes.push_back(figure_title(report) + ": " + note);
  return "<h2>All metrics</h2>\n" +
         page_table({"scaling", "T", "accuracy, %", "top-5, %", "NLL, nats", "Brier", "ECE", "adaptive",
                     "classwise", "debiased", "MCE"},
                    lines) +
         page_notes(notes);
}

std::string explanation(const CalibrationOptions& options) {
  return fmt::format(
      "<p class=\"soft\">ECE over {} bins of equal width, edges by the {} convention{}. In-sample: the "
      "temperature that minimises NLL on the rows it is judged by, as in the paper. Held-out: each row "
      "scaled by the temperature fitted to the half of the samples that it is not in; T is the geometric "
      "mean of the two. Adaptive: bins of equal mass; classwise: mean over classes; debiased: binning noise "
      "taken off; MCE: largest gap of a bin.</p>\n",
      options.bins, options.edges == BinEdges::guo ? "guo" : "standard",
      options.bootstrap > 0
          ? fmt::format(
                ", with a 95 % interval by {} bootstrap resamples of rows, of samples where rows share one",
                options.bootstrap)
          : "");
}

}  // namespace

std::string calibration_page(const std::vector<CalibrationReport>& reports, const PageOptions& options) {
  std::string body;
  if (!options.introduction.empty()) body += "<p>" + escape_markup(options.introduction) + "</p>\n";
  body += comparison(reports, options) + trends(reports) + diagrams(reports) + metrics(reports);
  if (!reports.empty()) body += explanation(reports.front().options);
  return page_document(options.title, body);
}

}  // namespace smoothlab::eval
