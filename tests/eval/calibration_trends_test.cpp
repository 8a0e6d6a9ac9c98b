#include "eval/calibration_trends.h"

#include <gmock/gmock.h>

#include <cmath>

#include "eval/report_fixture.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;

CalibrationReport at_step(const std::string& step, const std::string& alpha, double ece) {
  CalibrationReport report = test::calibration_with(ece, ece / 2, 1.5);
  report.file = "runs/" + alpha + "/logits/step-" + step + "-test.h5";
  report.origin = {{"alpha", alpha}, {"split", "test"}, {"step", step}, {"task", "cifar10"}};
  return report;
}

TEST(CalibrationTrends, GoAgainstTheStepsOfEachRun) {
  std::vector<CalibrationReport> reports = {at_step("200", "0", 0.2), at_step("100", "0", 0.1),
                                            at_step("100", "0.1", 0.08), at_step("200", "0.1", 0.05)};
  reports[1].fit.reset();
  reports[1].scaled.reset();
  const auto charts = calibration_trends(reports);
  ASSERT_EQ(charts.size(), 5U);
  EXPECT_EQ(charts[0].title, "ECE");
  ASSERT_EQ(charts[0].series.size(), 2U);
  EXPECT_THAT(charts[0].series[0].x, ElementsAre(100, 200));
  EXPECT_THAT(charts[0].series[0].y, ElementsAre(0.1, 0.2));
  EXPECT_THAT(charts[0].series[1].y, ElementsAre(0.08, 0.05));
  EXPECT_TRUE(std::isnan(charts[1].series[0].y[0])) << "nothing was fitted";
  EXPECT_EQ(charts[1].series[0].y[1], 0.1);
  EXPECT_FALSE(charts[0].series[0].name.empty());
  EXPECT_TRUE(charts[2].series[0].name.empty()) << "one legend is enough";
}

TEST(CalibrationTrends, NeedTwoSteps) {
  EXPECT_TRUE(calibration_trends({at_step("100", "0", 0.1), at_step("100", "0.1", 0.1)}).empty());
  EXPECT_TRUE(calibration_trends({}).empty());
}

}  // namespace
}  // namespace smoothlab::eval
