#include "eval/chart.h"

#include <gmock/gmock.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const double gap = std::nan("");

Chart one_line(const std::vector<double>& x, const std::vector<double>& y) {
  Chart chart;
  chart.title = "a & b";
  ChartSeries series;
  series.name = "α = 0.1";
  series.x = x;
  series.y = y;
  chart.series.push_back(series);
  return chart;
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Chart, HasRoundNumbersOnItsAxes) {
  const auto ranges = chart_ranges(one_line({0, 64000}, {0.02, 0.17}), 300, 200);
  EXPECT_THAT(ranges.x.ticks, ElementsAre(0, 20000, 40000, 60000));
  EXPECT_THAT(ranges.y.ticks,
              ElementsAre(DoubleNear(0.05, 1e-12), DoubleNear(0.1, 1e-12), DoubleNear(0.15, 1e-12)));
  EXPECT_LT(ranges.y.low, 0.02);
  EXPECT_GT(ranges.y.high, 0.17);
}

TEST(Chart, KeepsLimitsThatAreGiven) {
  Chart chart = one_line({1, 2}, {5, 9});
  chart.y.low = 0;
  chart.y.high = 6.397;
  const auto ranges = chart_ranges(chart, 300, 200);
  EXPECT_EQ(ranges.y.low, 0);
  EXPECT_EQ(ranges.y.high, 6.397);
}

TEST(Chart, IsNeverEmpty) {
  for (const auto& chart : {Chart(), one_line({}, {}), one_line({1}, {gap}), one_line({3, 3}, {2, 2}),
                            one_line({0}, {0}), one_line({-1e6}, {-1e6})}) {
    const auto ranges = chart_ranges(chart, 300, 200);
    EXPECT_GT(ranges.x.high, ranges.x.low);
    EXPECT_GT(ranges.y.high, ranges.y.low);
    EXPECT_FALSE(ranges.y.ticks.empty());
    EXPECT_THAT(chart_svg(chart, "x"), Not(HasSubstr("nan")));
  }
}

TEST(Chart, CanMakeAUnitAsLongOnBothAxes) {
  Chart chart = one_line({0, 10}, {0, 1});
  chart.equal_scale = true;
  const auto ranges = chart_ranges(chart, 300, 200);
  EXPECT_NEAR((ranges.x.high - ranges.x.low) / 300, (ranges.y.high - ranges.y.low) / 200, 1e-12);
  EXPECT_LE(ranges.x.low, 0);
  EXPECT_GE(ranges.x.high, 10);
}

TEST(Chart, ClipsAReferenceToItsFrame) {
  const ChartRanges ranges{{0, 10, {}}, {0, 10, {}}};
  const auto diagonal = clipped({-10, -10, 20, 20, "ideal"}, ranges);
  ASSERT_TRUE(diagonal);
  EXPECT_NEAR(diagonal->x0, 0, 1e-12);
  EXPECT_NEAR(diagonal->y1, 10, 1e-12);
  EXPECT_EQ(diagonal->name, "ideal");
  const auto inside = clipped({2, 3, 4, 3, ""}, ranges);
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->x0, 2);
  EXPECT_EQ(inside->x1, 4);
  EXPECT_FALSE(clipped({-5, 11, 15, 11, ""}, ranges));
  EXPECT_FALSE(clipped({-5, 0, 0, 20, ""}, ranges));
}

TEST(Chart, ShowsEveryValueOfALineThatHasFew) {
  Chart chart = one_line({0, 1, 2, 3}, {1, 2, gap, 4});
  chart.series[0].low = {0.5, 1.5, gap, 3.5};
  chart.series[0].high = {1.5, 2.5, gap, 4.5};
  const std::string svg = chart_svg(chart, "loss");
  EXPECT_EQ(count(svg, "<circle"), 3u);
  EXPECT_EQ(count(svg, "class=\"band c0\""), 1u);
  EXPECT_EQ(count(svg, "d=\"M"), 2u) << "the line and the axes";
  EXPECT_THAT(svg, HasSubstr("<title>α = 0.1: 1, 2 (1.5 to 2.5)</title>"));
  EXPECT_THAT(svg, HasSubstr("a &amp; b"));
}

TEST(Chart, HasALegendOfWhatHasAName) {
  Chart chart = one_line({0, 1}, {0, 1});
  chart.series.push_back(chart.series[0]);
  chart.series[1].name = "";
  chart.references = {{0, 0.693, 1, 0.693, "log 2"}, {0, 0, 1, 1, ""}};
  const std::string figure = chart_figure(chart, "x");
  EXPECT_EQ(count(figure, "<li>"), 2u);
  EXPECT_THAT(figure, HasSubstr("log 2</li>"));
}

TEST(Chart, IsDrawnInEveryFormat) {
  Chart chart = one_line({0, 1, 2}, {1, gap, 3});
  chart.series[0].low = {0, gap, 2};
  chart.series[0].high = {2, gap, 4};
  chart.references = {{0, 2, 2, 2, "it's"}};
  Chart points = one_line({0.1, -3}, {1, 4});
  points.equal_scale = true;
  points.series[0].mark = ChartMark::points;
  points.series.push_back(points.series[0]);
  points.series[1].mark = ChartMark::triangles;
  const std::vector<Chart> charts = {chart, points, Chart()};
  EXPECT_THAT(draw_charts("title", charts, 2, FigureFormat::svg), HasSubstr("generator: smoothlab"));
  EXPECT_EQ(draw_charts("title", charts, 2, FigureFormat::png).substr(1, 3), "PNG");
  const std::string pdf = draw_charts("", charts, 3, FigureFormat::pdf);
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  EXPECT_THAT(pdf.substr(pdf.size() - 100), HasSubstr(output_marker(OutputKind::pdf)));
}

TEST(Chart, FormatsAreNamedOnce) {
  EXPECT_THAT(figure_formats("pdf,svg", "--format"), ElementsAre(FigureFormat::pdf, FigureFormat::svg));
  for (const char* bad : {"", "svg,", "gif", "svg,svg", "SVG"})
    EXPECT_THROW(figure_formats(bad, "--format"), UsageError) << bad;
}

}  // namespace
}  // namespace smoothlab::eval
