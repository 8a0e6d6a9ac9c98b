#include <fmt/format.h>

#include <cmath>

#include "eval/calibration_report.h"
#include "eval/printable.h"
#include "eval/text_table.h"

namespace smoothlab::eval {
namespace {

/// Four decimals, as long as that is readable.
std::string number(double value) {
  if (std::isnan(value)) return "-";  // not in a summary
  return std::abs(value) < 1e6 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

std::string interval(const CalibrationMetrics& metrics) {
  return metrics.ece_ci95 ? fmt::format("{:.4f}-{:.4f}", metrics.ece_ci95->low, metrics.ece_ci95->high) : "";
}

TableLine line(const std::string& scaling, const std::string& temperature, const CalibrationMetrics& m) {
  return {scaling,
          temperature,
          fmt::format("{:.4f}", m.accuracy),
          number(m.top5_accuracy),
          number(m.nll),
          number(m.brier),
          fmt::format("{:.4f}", m.ece),
          interval(m),
          fmt::format("{:.4f}", m.ece_adaptive),
          number(m.ece_classwise),
          fmt::format("{:.4f}", m.ece_debiased),
          fmt::format("{:.4f}", m.mce)};
}

std::string heading(const CalibrationReport& report) {
  std::string text = fmt::format("{}: {} rows, {} classes", report.file, report.rows, report.classes);
  for (const char* name : {"alpha", "convention", "model", "split", "step"}) {
    const std::string value = stated(report.origin, name);
    if (!value.empty()) text += fmt::format(", {} {}", name, value);
  }
  return printable(text) + "\n";
}

}  // namespace

std::string alpha_of(const CalibrationReport& report) {
  return stated(report.origin, "alpha");
}

std::string to_table(const std::vector<CalibrationReport>& reports) {
  std::string text;
  for (const CalibrationReport& report : reports) {
    if (!text.empty()) text += "\n";
    text += heading(report);
    std::vector<TableLine> lines{{"scaling", "T", "accuracy", "top-5", "NLL", "Brier", "ECE", "95 %",
                                  "adaptive", "classwise", "debiased", "MCE"}};
    lines.push_back(line("none", "1", report.unscaled));
    if (report.scaled)
      lines.push_back(line(report.fit->end == FitEnd::given ? "given" : "in-sample",
                           fmt::format("{:.4f}", report.fit->temperature), *report.scaled));
    if (report.held_out)
      lines.push_back(
          line("held-out", fmt::format("{:.4f}", *report.held_out_temperature()), *report.held_out));
    text += text_table(lines);
    for (const auto& [temperature, gamma] : report.gamma)
      text += fmt::format("  equivalent smoothing at T = {:g}: {:.6f}\n", temperature, gamma);
    if (report.real)
      text += fmt::format("  ReaL accuracy: {:.4f}, of the {} images with ReaL labels\n",
                          report.real->accuracy(), report.real->images);
    for (const std::string& note : report.notes) text += "  note: " + printable(note) + "\n";
  }
  return text;
}

}  // namespace smoothlab::eval
