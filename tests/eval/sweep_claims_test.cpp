#include "eval/sweep_claims.h"

#include <gmock/gmock.h>

#include <cmath>

#include "eval/report_fixture.h"
#include "eval/report_page.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

/// BLEU falls by `fall` a unit of |T − best|; NLL is flat.
ReportRun swept_run(double alpha, uint64_t seed, double bleu, double best, double nll, double fall = 10) {
  ReportRun run = test::ended_run(alpha, seed, 0.6, 0.05);
  run.task = "text";
  run.model = "transformer_base";
  run.sweep.emplace();
  for (const double t : {0.5, 0.8, 1.0, 1.2, 1.5}) {
    SweepPoint& point = run.sweep->point(t);
    point.bleu_lowercase = bleu - fall * std::abs(t - best);
    point.bleu = *point.bleu_lowercase - 1;
    point.nll = nll;
    point.ece = 0.1;
  }
  return run;
}

const Claim* claim(const std::vector<Claim>& claims, const std::string& words) {
  for (const Claim& one : claims)
    if (one.says.find(words) != std::string::npos) return &one;
  return nullptr;
}

TEST(SweepClaims, AsThePaperHasThem) {
  const std::vector<ReportRun> runs = {swept_run(0, 1, 27.1, 1.2, 1.5), swept_run(0, 2, 27.2, 1.2, 1.51),
                                       swept_run(0.1, 1, 28.1, 1, 1.7), swept_run(0.1, 2, 28.2, 1, 1.71)};
  const auto claims = sweep_claims(report_subjects(runs)[0]);
  ASSERT_EQ(claims.size(), 4U);
  for (const Claim& one : claims) {
    EXPECT_EQ(one.verdict, Verdict::holds) << one.says << ": " << one.measured;
    EXPECT_EQ(one.where, "Fig. 4");
  }
  EXPECT_EQ(
      claims[0].measured,
      "at T = 1.2, the best on average: 27.15 ± 0.07 (2 runs); at T = 1: 25.15 ± 0.07 (2 runs); a run gains "
      "2.00 ± 0.00 (2 runs)");
  EXPECT_THAT(claims[3].measured, HasSubstr("lower at 5 of 5 temperatures"));
}

TEST(SweepClaims, TheOtherWayRound) {
  const std::vector<ReportRun> runs = {swept_run(0, 1, 29, 1.2, 1.9), swept_run(0, 2, 29.1, 1.2, 1.91),
                                       swept_run(0.1, 1, 27, 0.5, 1.7), swept_run(0.1, 2, 27.1, 0.5, 1.71)};
  const auto claims = sweep_claims(report_subjects(runs)[0]);
  EXPECT_EQ(claim(claims, "no temperature")->verdict, Verdict::fails);
  EXPECT_EQ(claim(claims, "near T = 1")->verdict, Verdict::fails);
  EXPECT_EQ(claim(claims, "lower NLL")->verdict, Verdict::fails);
}

// The greatest of each seed's own curve is never below its T = 1: the claim could only hold.
TEST(SweepClaims, WhereTOneIsBestNoTemperatureImproves) {
  const std::vector<ReportRun> runs = {swept_run(0, 1, 27, 1, 1.5), swept_run(0, 2, 27.1, 1, 1.5),
                                       swept_run(0, 3, 26.9, 0.8, 1.5, 1)};
  const auto claims = sweep_claims(report_subjects(runs)[0]);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].verdict, Verdict::fails);
  EXPECT_THAT(claims[0].measured, HasSubstr("T = 1 is the best: 26.93"));
}

TEST(SweepClaims, RunsThatGainHereAndLoseThereLeaveItOpen) {
  const std::vector<ReportRun> runs = {swept_run(0, 1, 27, 1.2, 1.5, 3), swept_run(0, 2, 27, 1, 1.5, 1),
                                       swept_run(0, 3, 27, 0.8, 1.5, 1)};
  const auto claims = sweep_claims(report_subjects(runs)[0]);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].verdict, Verdict::open) << claims[0].measured;
  EXPECT_THAT(claims[0].measured, HasSubstr("at T = 1.2, the best on average"));
}

// Runs whose BLEU differs much from seed to seed, and all of which gain a little.
TEST(SweepClaims, GainsAreOfEachRun) {
  const std::vector<ReportRun> runs = {swept_run(0, 1, 20, 1.2, 1.5, 2), swept_run(0, 2, 30, 1.2, 1.5, 2.1)};
  EXPECT_EQ(sweep_claims(report_subjects(runs)[0])[0].verdict, Verdict::holds);
}

TEST(SweepClaims, AFlatTopTellsNothing) {
  const std::vector<ReportRun> runs = {swept_run(0.1, 1, 27, 0.5, 1.7, 0.01)};
  const auto claims = sweep_claims(report_subjects(runs)[0]);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].verdict, Verdict::open);
}

TEST(SweepClaims, RunsWithoutASweepSayNothing) {
  const std::vector<ReportRun> runs = {test::ended_run(0, 1, 0.7, 0.1), test::ended_run(0.1, 1, 0.7, 0.1)};
  const auto subjects = report_subjects(runs);
  EXPECT_TRUE(sweep_claims(subjects[0]).empty());
  EXPECT_TRUE(subject_sweep_charts(subjects[0]).empty());
  EXPECT_THAT(report_page("t", runs), testing::Not(HasSubstr("(fig. 4)")));
}

TEST(SweepClaims, ThePageHasThreePanelsAndThePapersRow) {
  std::vector<ReportRun> runs = {swept_run(0, 1, 27, 1.2, 1.5), swept_run(0.1, 1, 28, 1, 1.7)};
  runs[0].calibration = test::calibration_with(0.056, 0.018, 1.13);
  EXPECT_EQ(subject_sweep_charts(report_subjects(runs)[0]).size(), 3U);
  const std::string page = report_page("t", runs);
  EXPECT_THAT(page, HasSubstr("Temperature (fig. 4)"));
  EXPECT_THAT(page, HasSubstr("Reliability (fig. 3)"));
  const auto rows = beside_paper(report_subjects(runs)[0]);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].paper, "0.056");
  EXPECT_EQ(rows[2].paper, "1.13");
  EXPECT_EQ(rows[3].paper, "0.019");
}

}  // namespace
}  // namespace smoothlab::eval
