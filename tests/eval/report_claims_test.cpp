#include "eval/report_claims.h"

#include <gmock/gmock.h>

#include "eval/report_fixture.h"

namespace smoothlab::eval {
namespace {

using test::ended_run;
using testing::HasSubstr;

const Claim* claim(const std::vector<Claim>& claims, const std::string& words) {
  for (const Claim& one : claims)
    if (one.says.find(words) != std::string::npos) return &one;
  return nullptr;
}

const Beside* row(const std::vector<Beside>& rows, const std::string& words) {
  for (const Beside& one : rows)
    if (one.what.find(words) != std::string::npos) return &one;
  return nullptr;
}

TEST(ReportClaims, RunsOfOneRecipeAreOneSubject) {
  std::vector<ReportRun> runs = {ended_run(0.1, 2, 0.72, 0.03), ended_run(0, 1, 0.72, 0.15),
                                 ended_run(0.1, 1, 0.72, 0.03), ended_run(0, 2, 0.72, 0.15)};
  runs.push_back(ended_run(0, 3, 0.4, 0.3));
  runs.back().shape[1].second = "100";
  runs.push_back(ended_run(0, 4, 0.4, 0.3));
  runs.back().end.reset();
  const auto subjects = report_subjects(runs);
  ASSERT_EQ(subjects.size(), 2U);
  EXPECT_EQ(subjects[0].name, "CIFAR-100, ResNet-56: train.steps 64000");
  EXPECT_EQ(subjects[1].name, "CIFAR-100, ResNet-56: train.steps 100");
  ASSERT_EQ(subjects[0].smoothing.size(), 2U);
  EXPECT_EQ(subjects[0].smoothing[0].alpha, 0);
  EXPECT_EQ(subjects[0].smoothing[1].runs[0]->seed, 1U);
  EXPECT_EQ(subjects[0].unfinished.size(), 1U);
  EXPECT_EQ(subjects[1].smoothed(), nullptr);
}

TEST(ReportClaims, HoldsWhereMeansAreFarApart) {
  const std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.150), ended_run(0, 2, 0.73, 0.154),
                                       ended_run(0.1, 1, 0.72, 0.03), ended_run(0.1, 2, 0.73, 0.04)};
  const auto subjects = report_subjects(runs);
  const auto claims = claims_about(subjects[0]);
  const Claim* lower = claim(claims, "lowers the calibration error");
  ASSERT_NE(lower, nullptr);
  EXPECT_EQ(lower->verdict, Verdict::holds);
  EXPECT_EQ(lower->measured, "α = 0.1: 0.035 ± 0.007 (2 runs); hard targets: 0.152 ± 0.003 (2 runs)");
  const Claim* information = claim(claims, "less information");
  ASSERT_NE(information, nullptr);
  EXPECT_EQ(information->verdict, Verdict::holds);
  EXPECT_EQ(claim(claims, "temperature scaling"), nullptr) << "no run was scaled";
}

TEST(ReportClaims, FailsWhereTheOrderIsTheOther) {
  const std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.03), ended_run(0.1, 1, 0.72, 0.15)};
  const auto subjects = report_subjects(runs);
  EXPECT_EQ(claim(claims_about(subjects[0]), "lowers the calibration error")->verdict, Verdict::fails);
}

TEST(ReportClaims, IsOpenWhereSeedsMatterMore) {
  const std::vector<ReportRun> seeds = {ended_run(0, 1, 0.72, 0.10), ended_run(0, 2, 0.72, 0.16),
                                        ended_run(0.1, 1, 0.72, 0.08), ended_run(0.1, 2, 0.72, 0.14)};
  EXPECT_EQ(claim(claims_about(report_subjects(seeds)[0]), "lowers the calibration error")->verdict,
            Verdict::open);
  const std::vector<ReportRun> single = {ended_run(0, 1, 0.72, 0.100), ended_run(0.1, 1, 0.72, 0.097)};
  EXPECT_EQ(claim(claims_about(report_subjects(single)[0]), "lowers the calibration error")->verdict,
            Verdict::open);
}

TEST(ReportClaims, SaysNothingWithoutBothSides) {
  const std::vector<ReportRun> runs = {ended_run(0.1, 1, 0.72, 0.03)};
  EXPECT_TRUE(claims_about(report_subjects(runs)[0]).empty());
}

TEST(ReportClaims, FiguresAgreeWithinTwoDeviations) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.718, 0.15), ended_run(0, 2, 0.722, 0.15),
                                 ended_run(0.1, 1, 0.743, 0.03), ended_run(0.1, 2, 0.745, 0.03)};
  const auto rows = beside_paper(report_subjects(runs)[0]);
  const Beside* hard = row(rows, "α = 0 (Table 2)");
  ASSERT_NE(hard, nullptr);
  EXPECT_EQ(hard->paper, "72.1 ± 0.3");
  EXPECT_EQ(hard->here, "72.00 ± 0.28 (2 runs)");
  EXPECT_EQ(hard->text, "agrees");
  const Beside* smoothed = row(rows, "α = 0.1 (Table 2)");
  EXPECT_EQ(smoothed->text, "1.70 higher");
  EXPECT_EQ(smoothed->verdict, Verdict::fails);
  EXPECT_EQ(row(rows, "ECE, α = 0.05")->text, "not measured");
}

TEST(ReportClaims, ADifferenceIsExcusedByAnotherRecipe) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.40, 0.15), ended_run(0, 2, 0.41, 0.15)};
  for (ReportRun& run : runs) run.differences = {"train.steps is 800, in the paper's recipe 64000"};
  const auto rows = beside_paper(report_subjects(runs)[0]);
  const Beside* hard = row(rows, "α = 0 (Table 2)");
  EXPECT_THAT(hard->text, HasSubstr("the recipe differs"));
  EXPECT_EQ(hard->verdict, Verdict::open);
}

TEST(ReportClaims, TheTemperatureComesFromLogits) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.3), ended_run(0, 2, 0.72, 0.3)};
  runs[0].calibration = test::calibration_with(0.148, 0.020, 1.9);
  runs[1].calibration = test::calibration_with(0.152, 0.022, 2.0);
  const auto subjects = report_subjects(runs);
  EXPECT_EQ(row(beside_paper(subjects[0]), "fitted temperature")->here, "1.95 ± 0.07 (2 runs)");
  EXPECT_EQ(row(beside_paper(subjects[0]), "ECE, α = 0 (Table 3)")->text, "agrees");
  EXPECT_EQ(claim(claims_about(subjects[0]), "temperature scaling")->verdict, Verdict::holds);
}

TEST(ReportClaims, ThePapersConventionStandsForSmoothing) {
  std::vector<ReportRun> runs = {ended_run(0.1, 1, 0.70, 0.2), ended_run(0.1, 1, 0.72, 0.03),
                                 ended_run(0, 1, 0.72, 0.15), ended_run(0, 2, 0.72, 0.16)};
  runs[0].convention = "off-target";
  runs[3].convention = "off-target";
  const auto subjects = report_subjects(runs);
  ASSERT_EQ(subjects.size(), 1U);
  ASSERT_NE(subjects[0].smoothed(), nullptr);
  EXPECT_EQ(subjects[0].smoothed()->convention, "uniform");
  EXPECT_EQ(subjects[0].hard()->runs.size(), 2U) << "hard targets are the same in every convention";
  const auto rows = beside_paper(subjects[0]);
  EXPECT_THAT(row(rows, "accuracy in %, α = 0.1")->here, HasSubstr("72.00"));
}

TEST(ReportClaims, ASeedInTwoFoldersCountsOnce) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.15), ended_run(0, 2, 0.72, 0.15),
                                 ended_run(0, 1, 0.72, 0.15)};
  runs[0].name = "a";
  runs[2].name = "b";
  runs[2].calibration = test::calibration_with(0.15, 0.02, 1.9);
  const auto subjects = report_subjects(runs);
  ASSERT_EQ(subjects[0].smoothing[0].runs.size(), 2U);
  EXPECT_EQ(subjects[0].smoothing[0].runs[0]->name, "b") << "the one that kept more";
  ASSERT_EQ(subjects[0].repeated.size(), 1U);
  EXPECT_EQ(subjects[0].repeated[0]->name, "a");
}

TEST(ReportClaims, OneRunBesideSeveralIsAsUncertainAsTheyAre) {
  const std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.150), ended_run(0, 2, 0.73, 0.110),
                                       ended_run(0, 3, 0.73, 0.190), ended_run(0, 4, 0.73, 0.130),
                                       ended_run(0, 5, 0.73, 0.170), ended_run(0.1, 1, 0.72, 0.095)};
  // A deviation of 0.032: 0.055 is above two standard errors of the five alone, 0.028, not of six, 0.069.
  const auto subjects = report_subjects(runs);
  EXPECT_EQ(claim(claims_about(subjects[0]), "lowers the calibration error")->verdict, Verdict::open);
}

TEST(ReportClaims, InformationThatOnlyRisesHasNotFallen) {
  std::vector<ReportRun> runs = {ended_run(0, 1, 0.72, 0.15), ended_run(0.1, 1, 0.72, 0.03)};
  const auto set = [](ReportRun& run, std::vector<double> values) {
    for (size_t i = 0; i < values.size(); ++i) run.information[i].estimate.information = values[i];
  };
  set(runs[0], {1, 3, 2.5});
  set(runs[1], {1, 3, 1.5});
  auto claims = claims_about(report_subjects(runs)[0]);
  EXPECT_EQ(claim(claims, "falls later")->verdict, Verdict::holds);
  EXPECT_EQ(claim(claims, "falls further")->measured, "α = 0.1: 1.500 (1 run); hard targets: 0.500 (1 run)");
  EXPECT_EQ(claim(claims, "falls further")->verdict, Verdict::holds);
  set(runs[1], {1, 2, 3});
  claims = claims_about(report_subjects(runs)[0]);
  EXPECT_NE(claim(claims, "falls later")->verdict, Verdict::holds);
  EXPECT_EQ(claim(claims, "falls further")->verdict, Verdict::fails);
}

}  // namespace
}  // namespace smoothlab::eval
