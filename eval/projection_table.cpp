#include <fmt/format.h>

#include "eval/penultimate_projection.h"
#include "eval/printable.h"
#include "eval/step_series.h"
#include "eval/text_table.h"

namespace smoothlab::eval {
namespace {

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

std::string point(PlanePoint at) {
  return fmt::format("({:.4g}, {:.4g})", at.x, at.y);
}

/// "beaver (4), dolphin (30), otter (55)"; where there are no names "4, 30, 55".
std::string classes_text(const PenultimateProjection& projection) {
  std::string text;
  for (const auto& one : projection.chosen) {
    const std::string number = std::to_string(one.chosen.number);
    text +=
        (text.empty() ? "" : ", ") + one.chosen.name + (one.chosen.name == number ? "" : " (" + number + ")");
  }
  return printable(text);
}

std::string class_lines(const PenultimateProjection& projection) {
  std::vector<TableLine> lines{{"class", "rows", "mean", "template", "deviation", "in all dimensions"}};
  for (const auto& one : projection.chosen)
    lines.push_back({printable(one.chosen.name), std::to_string(one.rows), point(one.mean),
                     point(one.template_at), fmt::format("{:.4g}", one.deviation),
                     fmt::format("{:.4g}", one.deviation_full)});
  return text_table(lines);
}

}  // namespace

std::string to_table(const std::vector<PenultimateProjection>& projections) {
  std::vector<TableLine> lines{{"file", "alpha", "split", "step", "rows", "spread", "in all dimensions",
                                "regularity", "of templates", "accuracy of three"}};
  std::string classes, text;
  const auto flush = [&] {
    if (lines.size() > 1) text += (text.empty() ? "" : "\n") + classes + "\n" + text_table(lines);
    lines.resize(1);
  };
  for (const size_t at : in_series_order(step_series(stated_files(projections)))) {
    const PenultimateProjection& one = projections[at];
    // Files with other classes under these names begin a table of their own.
    if (classes_text(one) != classes) flush();
    classes = classes_text(one);
    const int64_t rows = one.chosen[0].rows + one.chosen[1].rows + one.chosen[2].rows;
    lines.push_back({printable(one.file), or_dash(stated(one.origin, "alpha")),
                     or_dash(stated(one.origin, "split")), or_dash(stated(one.origin, "step")),
                     std::to_string(rows), number(one.spread), number(one.spread_full),
                     number(one.means.regularity), number(one.templates.regularity),
                     fmt::format("{:.4f}", one.accuracy)});
  }
  flush();
  if (projections.size() == 1) text += "\n" + class_lines(projections.front());
  return text;
}

}  // namespace smoothlab::eval
