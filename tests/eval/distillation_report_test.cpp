#include "eval/distillation_report.h"

#include <gmock/gmock.h>

#include <map>

#include "eval/report_fixture.h"
#include "eval/report_page.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Fig. 5 as the paper has it, in few points: two seeds of each.
class DistillationReport : public testing::Test {
 protected:
  DistillationReport() {
    runs.reserve(64);
    for (const uint64_t seed : {1, 2}) {
      const double off = seed == 1 ? 0.001 : -0.001;
      hard_teacher[seed] = &add(0, seed, 0.93 + off);
      smooth_teacher[seed] = &add(0.6, seed, 0.94 + off);
      for (const double alpha : {0.0, 0.3}) student(alpha, seed, 0.86 + alpha / 100 + off);
      taught(*hard_teacher[seed], seed, 4, 0.3, 0.875 + off);
      taught(*hard_teacher[seed], seed, 1, 0.1, 0.87 + off);
      taught(*smooth_teacher[seed], seed, 1, 0.7, 0.85 + off);
      taught(*smooth_teacher[seed], seed, 4, 0.9, 0.5);  // no part of the figure
    }
    subjects = report_subjects(runs);
  }
  ReportRun& add(double alpha, uint64_t seed, double accuracy) {
    runs.push_back(test::ended_run(alpha, seed, accuracy, 0.1));
    return runs.back();
  }
  ReportRun& student(double alpha, uint64_t seed, double accuracy) {
    ReportRun& run = add(alpha, seed, accuracy);
    run.model = "alexnet_tutorial";
    run.has_paper_recipe = false;
    return run;
  }
  void taught(const ReportRun& teacher, uint64_t seed, double temperature, double gamma, double accuracy) {
    student(0, seed, accuracy).taught =
        ReportRun::Taught{&teacher, teacher.model, teacher.alpha, "paper", 1, temperature, gamma};
  }
  const ReportSubject& of_student() const { return subjects[1]; }

  std::vector<ReportRun> runs;
  std::map<uint64_t, const ReportRun*> hard_teacher, smooth_teacher;
  std::vector<ReportSubject> subjects;
};

TEST_F(DistillationReport, TaughtRunsAreApartFromThoseOfTheirOwnTargets) {
  ASSERT_EQ(subjects.size(), 2U);
  EXPECT_EQ(of_student().smoothing.size(), 2U);
  ASSERT_EQ(of_student().distilled.size(), 4U);
  EXPECT_EQ(of_student().distilled[0].gamma().mean, 0.1) << "by γ";
  EXPECT_EQ(of_student().distilled[0].runs.size(), 2U);
  EXPECT_TRUE(of_student().repeated.empty());
}

TEST_F(DistillationReport, TheFigureHasTheFourCurvesOfThePaper) {
  const auto lessons = lessons_of(of_student());
  ASSERT_EQ(lessons.size(), 1U);
  EXPECT_EQ(lessons[0].name, "ResNet-56 teaches, loss paper");
  const Chart chart = distillation_chart(of_student(), lessons[0]);
  ASSERT_EQ(chart.series.size(), 4U);
  EXPECT_THAT(chart.series[0].x, ElementsAre(0, 0.6)) << "teachers by their α";
  EXPECT_THAT(chart.series[1].x, ElementsAre(0, 0.3)) << "students without a teacher";
  EXPECT_THAT(chart.series[2].x, ElementsAre(0.1, 0.3)) << "of hard targets, T = 1 and 4";
  EXPECT_THAT(chart.series[3].x, ElementsAre(0.7)) << "of smoothed targets at T = 1 alone";
  EXPECT_NEAR(chart.series[2].y[1], 87.5, 1e-9);
  EXPECT_NEAR(chart.series[2].low[1], 87.4, 1e-9);
  EXPECT_THAT(chart.series[2].tips[1], HasSubstr("T = 4, γ = 0.300"));
}

TEST_F(DistillationReport, ClaimsAreThoseOfThePaper) {
  const auto claims = distillation_claims(of_student(), lessons_of(of_student())[0]);
  ASSERT_EQ(claims.size(), 4U);
  for (const Claim& claim : claims) EXPECT_EQ(claim.verdict, Verdict::holds) << claim.says;
  EXPECT_THAT(claims[1].measured, HasSubstr("teacher's α = 0.6, γ = 0.700: 85.00 ± 0.14 (2 runs) %"));
}

TEST_F(DistillationReport, ClaimsFailWhereTheOrderIsTheOther) {
  for (ReportRun& run : runs)
    if (run.taught && run.taught->alpha > 0 && run.taught->temperature == 1)
      run.evaluations.back().accuracy = 0.9;
  const auto claims = distillation_claims(of_student(), lessons_of(of_student())[0]);
  EXPECT_EQ(claims[1].verdict, Verdict::fails);
  EXPECT_THAT(lessons_of(of_student())[0].others, testing::SizeIs(1)) << "shown, but held against nobody";
}

TEST_F(DistillationReport, ThePageShowsIt) {
  const std::string page = report_page("t", runs);
  EXPECT_THAT(page, HasSubstr("Distillation (sec. 4): ResNet-56 teaches, loss paper"));
  EXPECT_THAT(page, HasSubstr("student of smoothed targets, T = 1"));
}

TEST_F(DistillationReport, AStudentOfNobodyInTheReportIsShownWithoutItsTeacher) {
  for (ReportRun& run : runs)
    if (run.taught) run.taught->by = nullptr;
  const auto lessons = lessons_of(of_student());
  EXPECT_EQ(distillation_chart(of_student(), lessons[0]).series.size(), 3U);
  EXPECT_EQ(distillation_claims(of_student(), lessons[0]).size(), 2U);
}

TEST(DistillationReportOfMnist, SetsErrorsBesideThePaper) {
  std::vector<ReportRun> runs;
  runs.reserve(8);
  const auto add = [&](double alpha, const char* dropout, double accuracy) -> ReportRun& {
    runs.push_back(test::ended_run(alpha, 1, accuracy, 0.1));
    runs.back().task = "mnist";
    runs.back().model = "mlp";
    runs.back().shape = {{"model.dropout", dropout}, {"model.hidden", "[1200, 1200]"}};
    return runs.back();
  };
  const ReportRun& dropout = add(0, "0.5", 0.9930);
  const ReportRun& smoothing = add(0.1, "0", 0.9940);
  for (const ReportRun* teacher : {&dropout, &smoothing}) {
    ReportRun& student = add(0, "0", teacher == &dropout ? 0.9920 : 0.9910);
    student.shape[1].second = "[800, 800]";
    student.taught = ReportRun::Taught{teacher, "mlp", teacher->alpha, "logit-mse", 0.6, 1, 0.05};
  }
  const auto subjects = report_subjects(runs);
  ASSERT_EQ(subjects.size(), 3U);
  const auto lessons = lessons_of(subjects[2]);
  ASSERT_EQ(lessons.size(), 1U);
  EXPECT_EQ(lessons[0].name, "MLP teaches, loss logit-mse, β = 0.6");
  const auto rows = distillation_beside_paper(subjects[2], lessons[0]);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].paper, "0.67");
  EXPECT_EQ(rows[0].here, "0.70 (1 run)");
  EXPECT_EQ(rows[3].what, "error of its student in %, label smoothing");
  EXPECT_EQ(rows[3].here, "0.90 (1 run)");
}

}  // namespace
}  // namespace smoothlab::eval
