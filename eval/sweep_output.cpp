#include "eval/sweep_output.h"

#include <fmt/format.h>

#include "eval/text_table.h"

namespace smoothlab::eval {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "–";
}

std::string best_line(const char* what, const SweepPoint* point, const std::optional<double>& value,
                      int digits) {
  return fmt::format("  best {}: {} at T = {:g}\n", what, cell(value, digits), point->temperature);
}

std::string best_lines(const ShownSweep& shown) {
  const BestPoints best = best_points(shown.sweep, shown.lowercase);
  std::string text;
  if (best.bleu) text += best_line("BLEU", best.bleu, bleu_of(*best.bleu, shown.lowercase), 2);
  if (best.ece) text += best_line("ECE", best.ece, best.ece->ece, 4);
  if (best.nll) text += best_line("NLL", best.nll, best.nll->nll, 4);
  return text;
}

}  // namespace

Json to_json(const ShownSweep& shown) {
  const auto temperature = [](const SweepPoint* point) {
    return point ? Json(point->temperature) : Json(nullptr);
  };
  const BestPoints best = best_points(shown.sweep, shown.lowercase);
  Json json;
  json["run"] = shown.run;
  json["alpha"] = shown.alpha;
  json.update(to_json(shown.sweep));
  json["best_temperature"] = {
      {"bleu", temperature(best.bleu)}, {"ece", temperature(best.ece)}, {"nll", temperature(best.nll)}};
  return json;
}

std::string to_text(const ShownSweep& shown) {
  const SweepOrigin& origin = shown.sweep.origin;
  std::vector<TableLine> lines = {{"T", "BLEU", "ratio", "ECE", "NLL"}};
  for (const SweepPoint& point : shown.sweep.points)
    lines.push_back({fmt::format("{:g}", point.temperature), cell(bleu_of(point, shown.lowercase), 2),
                     cell(point.length_ratio, 3), cell(point.ece, 4), cell(point.nll, 4)});
  return fmt::format("{} (α = {:g}), step {}, {}: {} sentences, {} tokens; beam {}, length penalty {:g}\n",
                     shown.run, shown.alpha, origin.step, origin.split, shown.sweep.sentences,
                     shown.sweep.tokens, origin.beam, origin.length_penalty) +
         text_table(lines, {}) + (shown.sweep.points.size() > 1 ? best_lines(shown) : "");
}

}  // namespace smoothlab::eval
