#include "eval/step_chart.h"

#include <limits>

namespace smoothlab::eval {

void add_step_lines(Chart& chart, const std::vector<StepSeries>& series, const std::vector<StatedFile>& files,
                    bool legend, const std::function<std::optional<double>(size_t file)>& measure) {
  chart.x.name = "step";
  for (const StepSeries& one : series) {
    ChartSeries& line = chart.series.emplace_back();
    if (legend) line.name = one.name;
    line.color = one.run;
    line.dashed = one.dashed;
    for (const size_t file : one_a_step(one, files)) {
      line.x.push_back(stated_number(files[file].origin, "step").value_or(0));
      line.y.push_back(measure(file).value_or(std::numeric_limits<double>::quiet_NaN()));
    }
  }
}

}  // namespace smoothlab::eval
