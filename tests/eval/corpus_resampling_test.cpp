#include "eval/corpus_resampling.h"

#include <gtest/gtest.h>

#include <numeric>

#include "eval/numpy_draws.h"
#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

TEST(CorpusResamplingTest, MeansAndIntervalsAreThoseOfSacreBleu) {
  const auto& wanted = translation_reference()["confidence"];
  OwnedCorpus text = OwnedCorpus::of_reference();
  text.systems.resize(1);
  size_t at = 0;
  for (const int which : {0, 1, 2})
    for (const int resamples : {2, 300, 1000}) {
      ScoringOptions options;
      options.resamples = resamples;
      if (which < 2) options.bleu = BleuOptions();
      if (which == 1) {
        options.bleu->smoothing = Smoothing::add_k;
        options.bleu->smooth_value = 0.7;
      }
      if (which == 2) {
        options.chrf = ChrfOptions();
        options.chrf->word_order = 2;
      }
      const auto score = score_translations(text.view(), options).metrics[0].systems[0];
      EXPECT_DOUBLE_EQ(score.resampled->mean, wanted[at][0]) << which << " " << resamples;
      EXPECT_DOUBLE_EQ(score.resampled->half_width, wanted[at][1]) << which << " " << resamples;
      EXPECT_FALSE(score.p_value);
      ++at;
    }
}

TEST(CorpusResamplingTest, PairedFiguresAreThoseOfSacreBleu) {
  ScoringOptions options;
  options.bleu = BleuOptions();
  options.chrf = ChrfOptions();
  options.resamples = 500;
  const OwnedCorpus text = OwnedCorpus::of_reference();
  const auto scores = score_translations(text.view(), options);
  ASSERT_EQ(scores.metrics.size(), 2U);
  for (const auto& metric : scores.metrics) {
    const auto& wanted = translation_reference()["paired"][metric.name];
    EXPECT_EQ(metric.signature.substr(0, metric.signature.rfind('|')), wanted["signature"]);
    for (size_t i = 0; i < metric.systems.size(); ++i) {
      const auto& figures = wanted["systems"][i];
      EXPECT_DOUBLE_EQ(metric.systems[i].score, figures[0]);
      EXPECT_DOUBLE_EQ(metric.systems[i].resampled->mean, figures[1]);
      EXPECT_DOUBLE_EQ(metric.systems[i].resampled->half_width, figures[2]);
      ASSERT_EQ(metric.systems[i].p_value.has_value(), i > 0);
      if (i > 0) {
        EXPECT_DOUBLE_EQ(*metric.systems[i].p_value, figures[3]);
      }
    }
  }
}

TEST(CorpusResamplingTest, SumsAreOfSinglePrecisionAsNumPys) {
  CorpusStatistics corpus{1, 30, 10, {}};
  for (const auto& segment : translation_reference()["large"])
    for (const int32_t count : segment) corpus.counts.push_back(count);
  const auto& wanted = translation_reference()["large_scores"];
  const auto scores = resampled_scores(corpus, Bleu(BleuOptions()), static_cast<int>(wanted.size()), 12345);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_DOUBLE_EQ(scores[0][i], wanted[i]) << i;
}

TEST(CorpusResamplingTest, IntervalsCutAFortiethOffEachEnd) {
  std::vector<double> scores(120);
  std::iota(scores.rbegin(), scores.rend(), 1.0);
  for (const auto rounding : {MeanRounding::exact, MeanRounding::numpy}) {
    const auto result = resampled_score(scores, rounding);
    EXPECT_DOUBLE_EQ(result.mean, 60.5);
    EXPECT_DOUBLE_EQ(result.half_width, 0.5 * (117 - 4));
  }
  EXPECT_DOUBLE_EQ(resampled_score({3}, MeanRounding::exact).half_width, 0);
}

TEST(CorpusResamplingTest, ASystemAgainstItselfIsNotDifferent) {
  const std::vector<double> scores = {20, 21, 22};
  EXPECT_DOUBLE_EQ(paired_p_value(scores, scores, 0), 0.25);
  // Gaps 1, 5 and 0 lie −1, 3 and −2 from their mean.
  EXPECT_DOUBLE_EQ(paired_p_value(scores, {21, 26, 22}, 2.5), 0.5);
  EXPECT_DOUBLE_EQ(paired_p_value(scores, {21, 26, 22}, 3), 0.25);
}

}  // namespace
}  // namespace smoothlab::eval
