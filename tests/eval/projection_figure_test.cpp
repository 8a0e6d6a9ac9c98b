#include "eval/projection_figure.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "projection_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

class ProjectionFigure : public testing::Test {
 protected:
  PenultimateProjection projected(double noise, double alpha, const std::string& split, int64_t step) const {
    test::ProjectionSample sample;
    sample.noise = noise;
    sample.names = {"cat", "dog", "owl", "elk", "emu"};
    sample.generate();
    const std::string path = folder / "x.h5";
    sample.write(path, [&](test::ForeignFile& file) {
      file.attribute("alpha", alpha);
      file.attribute("split", split);
      file.attribute("step", step);
    });
    auto result = project(LogitFile(path), {"cat", "dog", "owl"}, {20, 1});
    result.file = "a/logits/" + split + std::to_string(step) + ".h5";
    return result;
  }
  test::TemporaryFolder folder;
};

TEST_F(ProjectionFigure, APanelShowsExamplesTemplatesAndDecisions) {
  const auto p = projected(0.5, 0.1, "train", 40);
  const Chart chart = projection_chart(p);
  EXPECT_EQ(chart.title, "α = 0.1, train, step 40");
  EXPECT_TRUE(chart.equal_scale);
  EXPECT_EQ(chart.x.name, "from cat to dog");
  ASSERT_EQ(chart.series.size(), 6U);
  double farthest = 0;
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(chart.series[c].x.size(), 20U);
    EXPECT_EQ(chart.series[c].color, chart.series[3 + c].color);
    farthest = std::max(farthest, std::hypot(p.chosen[c].mean.x, p.chosen[c].mean.y));
  }
  EXPECT_THAT(chart.series[1].tips[0], HasSubstr("dog, sample 40"));
  // Templates are lengthened by one factor, which the subtitle says, to where they show.
  double longest = 0;
  const double scale = chart.series[3].x[0] / p.chosen[0].template_at.x;
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(chart.series[3 + c].y[0], scale * p.chosen[c].template_at.y, 1e-9);
    longest = std::max(longest, std::hypot(chart.series[3 + c].x[0], chart.series[3 + c].y[0]));
  }
  EXPECT_NEAR(longest, 1.25 * farthest, 0.07 * farthest);
  EXPECT_THAT(chart.subtitle, HasSubstr(fmt::format("templates × {:g}", scale)));
  // From u = 0 to beyond the frame, in the direction of equal logits.
  ASSERT_EQ(chart.references.size(), 3U);
  const ChartRanges ranges = chart_ranges(chart, 300, 200);
  for (size_t k = 0; k < 3; ++k) {
    const ReferenceLine& line = chart.references[k];
    EXPECT_EQ(line.x0, 0);
    EXPECT_EQ(line.y0, 0);
    EXPECT_GT(std::hypot(line.x1, line.y1), 10 * (ranges.x.high - ranges.x.low));
    const PlanePoint side = p.chosen[(k + 1) % 3].template_at - p.chosen[(k + 2) % 3].template_at;
    EXPECT_NEAR(dot({line.x1, line.y1}, side), 0, 1e-9 * std::hypot(line.x1, line.y1));
  }
}

TEST_F(ProjectionFigure, FourFilesAreTwoRowsOfTwo) {
  std::vector<PenultimateProjection> files;
  for (const double alpha : {0.1, 0.0})
    for (const char* split : {"validation", "train"}) files.push_back(projected(0.5, alpha, split, 40));
  const ChartGrid grid = projection_grid(files);
  EXPECT_EQ(grid.columns, 2);
  ASSERT_EQ(grid.charts.size(), 4U);
  EXPECT_EQ(grid.charts[0].title, "α = 0, train, step 40");
  EXPECT_EQ(grid.charts[1].title, "α = 0, validation, step 40");
  EXPECT_EQ(grid.charts[2].title, "α = 0.1, train, step 40");
  EXPECT_EQ(grid.charts[0].series[0].name, "cat");
  EXPECT_EQ(grid.charts[3].series[0].name, "");
  EXPECT_TRUE(projection_trends(files).charts.empty());
}

TEST_F(ProjectionFigure, SeriesAreDrawnAgainstSteps) {
  std::vector<PenultimateProjection> files;
  for (const int64_t step : {100, 700, 300, 200, 500, 600, 400})
    for (const double alpha : {0.0, 0.1}) files.push_back(projected(1.0 / step, alpha, "train", step));
  const ChartGrid panels = projection_grid(files), trends = projection_trends(files);
  EXPECT_EQ(panels.columns, 5);
  ASSERT_EQ(panels.charts.size(), 10U);
  EXPECT_THAT(panels.charts[0].title, HasSubstr("step 100"));
  EXPECT_THAT(panels.charts[4].title, HasSubstr("step 700"));
  ASSERT_EQ(trends.charts.size(), 3U);
  const ChartSeries& line = trends.charts[0].series[1];
  EXPECT_EQ(line.name, "α = 0.1");
  EXPECT_THAT(line.x, testing::ElementsAre(100, 200, 300, 400, 500, 600, 700));
  EXPECT_NEAR(line.y[0], 7 * line.y[6], 0.5 * line.y[6]);
  const std::string svg = draw_charts("t", trends.charts, trends.columns, FigureFormat::svg);
  EXPECT_THAT(svg, HasSubstr("spread in all dimensions"));
}

}  // namespace
}  // namespace smoothlab::eval
