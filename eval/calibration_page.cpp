#include "eval/calibration_page.h"

#include <fmt/format.h>

#include <cmath>

#include "eval/markup.h"
#include "eval/output_file.h"
#include "eval/page_style.h"
#include "eval/reliability_svg.h"

namespace smoothlab::eval {
namespace {

std::string cell(const std::string& value, const std::string& aside = "") {
  return "<td>" + value + (aside.empty() ? "" : "<span class=\"soft\">" + aside + "</span>") + "</td>";
}

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

std::string list_of(const std::vector<std::string>& notes) {
  if (notes.empty()) return "";
  std::string html = "<ul class=\"notes soft\">\n";
  for (const auto& note : notes) html += "<li>" + escape_markup(note) + "</li>\n";
  return html + "</ul>\n";
}

std::string comparison_row(const SmoothingComparison& row, bool published) {
  return fmt::format("<tr{}>", published ? " class=\"published\"" : "") +
         cell(escape_markup(row.name) + (published ? " (paper)" : "")) +
         cell(number(row.hard_ece), row.hard_ece ? runs_text(row.hard_runs) : "") +
         cell(number(row.hard_scaled_ece),
              row.temperature ? fmt::format("T = {:.2f}", *row.temperature) : "") +
         cell(number(row.smoothed_ece), row.smoothed_ece ? smoothed_aside(row) : "") + "</tr>\n";
}

std::string comparison(const std::vector<CalibrationReport>& reports, const PageOptions& options) {
  const auto rows = compare_smoothing(reports);
  if (rows.empty()) return "";
  std::string html =
      "<h2>What smoothing did to calibration</h2>\n<div class=\"scroll\"><table>\n"
      "<thead><tr><th>Expected calibration error</th><th>hard targets, α = 0</th>"
      "<th>the same, temperature-scaled</th><th>label smoothing</th></tr></thead>\n<tbody>\n";
  for (const auto& row : rows) html += comparison_row(row, false);
  for (const auto& row : options.published) html += comparison_row(row, true);
  return html +
         "</tbody></table></div>\n<p class=\"soft\">Rows set evaluations of the same split, step and rows "
         "side by side. Files of recipes that differ only in seed, α and convention are runs of one thing: "
         "of several, the figure is their mean (of T the geometric one).</p>\n" +
         list_of(notes_of(rows));
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

std::string metrics_row(const std::string& name, const std::string& temperature,
                        const CalibrationMetrics& m) {
  const std::string interval =
      m.ece_ci95 ? fmt::format("{:.3f}–{:.3f}", m.ece_ci95->low, m.ece_ci95->high) : std::string();
  std::string html = "<tr>" + cell(name) + cell(temperature) + cell(fmt::format("{:.2f}", 100 * m.accuracy)) +
                     cell(fmt::format("{:.2f}", 100 * m.top5_accuracy));
  html += cell(fmt::format(std::abs(m.nll) < 1e6 ? "{:.4f}" : "{:.4e}", m.nll)) +
          cell(fmt::format("{:.4f}", m.brier));
  html += cell(fmt::format("{:.4f}", m.ece), interval);
  for (double value : {m.ece_adaptive, m.ece_classwise, m.ece_debiased, m.mce})
    html += cell(fmt::format("{:.4f}", value));
  return html + "</tr>\n";
}

std::string file_line(const CalibrationReport& report) {
  std::string text =
      fmt::format("{} · {} rows · {} classes", figure_title(report), report.rows, report.classes);
  for (const char* name : {"convention", "task", "model", "split", "step"}) {
    const std::string value = stated(report.attributes, name);
    if (!value.empty()) text += fmt::format(" · {} {}", name, value);
  }
  return "<tr class=\"file\"><td colspan=\"11\">" + escape_markup(text) + "</td></tr>\n";
}

std::string metrics(const std::vector<CalibrationReport>& reports) {
  std::string html =
      "<h2>All metrics</h2>\n<div class=\"scroll\"><table>\n"
      "<thead><tr><th>scaling</th><th>T</th><th>accuracy, %</th><th>top-5, %</th><th>NLL, nats</th>"
      "<th>Brier</th><th>ECE</th><th>adaptive</th><th>classwise</th><th>debiased</th><th>MCE</th></tr>"
      "</thead>\n<tbody>\n";
  for (const auto& report : reports) {
    html += file_line(report) + metrics_row("none", "1", report.unscaled);
    if (report.scaled)
      html += metrics_row(report.fit->end == FitEnd::given ? "given" : "in-sample",
                          fmt::format("{:.3f}", report.fit->temperature), *report.scaled);
    if (report.held_out)
      html +=
          metrics_row("held-out", fmt::format("{:.3f}", *report.held_out_temperature()), *report.held_out);
  }
  html += "</tbody></table></div>\n";
  std::vector<std::string> notes;
  for (const auto& report : reports)
    for (const auto& note : report.notes) notes.push_back(figure_title(report) + ": " + note);
  return html + list_of(notes);
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
  const std::string title = escape_markup(options.title);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n" +
      output_marker(OutputKind::page) + "\n<title>" + title + "</title>\n<style>" + page_style +
      "</style>\n</head>\n<body>\n<main>\n<h1>" + title + "</h1>\n";
  if (!options.introduction.empty()) html += "<p>" + escape_markup(options.introduction) + "</p>\n";
  html += comparison(reports, options) + diagrams(reports) + metrics(reports);
  if (!reports.empty()) html += explanation(reports.front().options);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace smoothlab::eval
