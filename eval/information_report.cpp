#include "eval/information_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/printable.h"
#include "eval/step_chart.h"
#include "eval/text_table.h"

namespace smoothlab::eval {
namespace {

using nlohmann::json;

}  // namespace

InformationReport analyse_information(const LogitFile& file, const std::vector<std::string>& classes,
                                      int threads) {
  const RepeatedDraws draws = read_draws(file, classes);
  return {file.path(),
          stated_origin(file),
          file.rows(),
          file.classes(),
          draws.chosen,
          draws.examples_of,
          mutual_information(draws.f, draws.examples, draws.draws, threads)};
}

json to_json(const InformationReport& report) {
  const MutualInformation& estimate = report.estimate;
  json object{{"file", report.file},
              {"rows", report.rows},
              {"classes", report.classes},
              {"chosen", json::array()},
              {"examples", estimate.examples},
              {"draws", estimate.draws},
              {"information", estimate.information},
              {"bound", estimate.bound},
              {"floor", estimate.floor},
              {"variance", estimate.variance}};
  put_stated(report.origin, object);
  for (size_t c = 0; c < 2; ++c)
    object["chosen"].push_back({{"class", report.chosen[c].number},
                                {"name", report.chosen[c].name},
                                {"examples", report.examples_of[c]}});
  return object;
}

std::string to_table(const std::vector<InformationReport>& reports) {
  if (reports.empty()) return "";
  std::vector<TableLine> lines{
      {"file", "alpha", "step", "examples", "draws", "information", "floor", "bound", "variance"}};
  for (const size_t at : in_series_order(step_series(stated_files(reports)))) {
    const InformationReport& report = reports[at];
    const MutualInformation& estimate = report.estimate;
    lines.push_back({printable(report.file), or_dash(stated(report.origin, "alpha")),
                     or_dash(stated(report.origin, "step")),
                     fmt::format("{}+{}", report.examples_of[0], report.examples_of[1]),
                     std::to_string(estimate.draws), fmt::format("{:.4f}", estimate.information),
                     fmt::format("{:.4f}", estimate.floor), fmt::format("{:.4f}", estimate.bound),
                     fmt::format("{:.4g}", estimate.variance)});
  }
  const auto& chosen = reports.front().chosen;
  return printable(fmt::format("{} against {}, in nats; two tight clusters have log 2 = 0.6931 + floor",
                               chosen[0].name, chosen[1].name)) +
         "\n" + text_table(lines);
}

Chart information_chart(const std::vector<InformationReport>& reports) {
  const auto files = stated_files(reports);
  double bound = 0, most = std::log(2.0), last = 0;
  for (const InformationReport& report : reports) {
    bound = std::max(bound, report.estimate.bound);
    most = std::max(most, report.estimate.information);
    last = std::max(last, stated_number(report.origin, "step").value_or(0));
  }
  Chart chart;
  const auto& chosen = reports.front().chosen;
  const auto names = short_names({chosen[0], chosen[1]});
  chart.title = printable(fmt::format("Mutual information, {} against {}", names[0], names[1]));
  chart.subtitle = fmt::format("{} examples, {} draws of each; at most log N = {:.2f}",
                               reports.front().estimate.examples, reports.front().estimate.draws, bound);
  chart.y = {"nats", 0.0, 1.12 * most};
  add_step_lines(chart, step_series(files), files, true,
                 [&](size_t file) { return reports[file].estimate.information; });
  const double reach = 2 * last + 1;  // beyond the frame
  chart.references = {{-reach, std::log(2.0), reach, std::log(2.0), "log 2"}};
  if (bound < 1.12 * most && bound > 0) chart.references.push_back({-reach, bound, reach, bound, "log N"});
  return chart;
}

}  // namespace smoothlab::eval
