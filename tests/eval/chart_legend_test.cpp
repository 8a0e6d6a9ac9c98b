#include "eval/chart_legend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smoothlab::eval {
namespace {

using testing::StartsWith;

std::string corner(const Chart& chart) {
  return legend_corner(chart, chart_ranges(chart, 300, 200));
}

TEST(ChartLegend, StandsWhereItHidesLeast) {
  Chart chart;
  EXPECT_THAT(corner(chart), StartsWith("top right"));
  chart.series.push_back({"rises", 0, ChartMark::line, {0, 1, 2}, {0, 1, 2}, {}, {}, {}, false});
  EXPECT_THAT(corner(chart), StartsWith("top left"));
  chart.series[0].y = {2, 1, 0};
  EXPECT_THAT(corner(chart), StartsWith("top right"));
  // A line passes between its two values too.
  chart.series[0].x = {0, 10};
  chart.series[0].y = {2, 2};
  chart.y.low = 0;
  EXPECT_THAT(corner(chart), StartsWith("bottom right"));
  chart.series.push_back({"dots", 0, ChartMark::points, {9, 9.5}, {0.1, 0.1}, {}, {}, {}, false});
  EXPECT_THAT(corner(chart), StartsWith("bottom left"));
}

TEST(ChartLegend, ReferenceLinesCountAsFarAsTheyShow) {
  Chart chart;
  chart.x = {"", 0.0, 1.0};
  chart.y = {"", 0.0, 1.0};
  chart.references = {{-50, 0.97, 50, 0.97, "log 2"}};
  EXPECT_THAT(corner(chart), StartsWith("bottom right"));
  chart.references = {{0.9, 0.5, 0.9, 100, "up"}};
  EXPECT_THAT(corner(chart), StartsWith("top left"));
}

}  // namespace
}  // namespace smoothlab::eval
