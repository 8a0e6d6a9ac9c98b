#include "eval/confidence_ranking.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

TEST(ConfidenceRanking, BinsOfEqualMassInClosedForm) {
  ConfidenceRanking ranking;
  // Two bins of two: {0.2 right, 0.4 wrong}, {0.6 right, 0.8 right}.
  ranking.add(0.8, true);
  ranking.add(0.2, true);
  ranking.add(0.6, true);
  ranking.add(0.4, false);
  EXPECT_NEAR(ranking.adaptive_error(2), 0.5 * (0.5 - 0.3) + 0.5 * (1 - 0.7), 1e-9);
  EXPECT_NEAR(ranking.adaptive_error(1), 0.75 - 0.5, 1e-9);
  EXPECT_NEAR(ranking.adaptive_error(4), 0.25 * (0.8 + 0.4 + 0.4 + 0.2), 1e-9);
}

TEST(ConfidenceRanking, ABoundaryThroughTiesSharesThem) {
  ConfidenceRanking forward, backward;
  for (int i = 0; i < 3; ++i) forward.add(0.5, i == 0);
  for (int i = 2; i >= 0; --i) backward.add(0.5, i == 0);
  // Every bin has accuracy 1/3 and confidence 1/2.
  EXPECT_NEAR(forward.adaptive_error(2), 1.0 / 6, 1e-9);
  EXPECT_EQ(forward.adaptive_error(2), backward.adaptive_error(2));
}

TEST(ConfidenceRanking, FewerRowsThanBins) {
  ConfidenceRanking ranking;
  ranking.add(0.25, false);
  EXPECT_NEAR(ranking.adaptive_error(15), 0.25, 1e-9);
  EXPECT_EQ(ConfidenceRanking().adaptive_error(15), 0);
}

TEST(ConfidenceRanking, TheHistogramGivesTheSameFigures) {
  const AddressedRandom random(1, Purpose::generated_data, 0, 0);
  ConfidenceRanking records, histogram(100);
  for (uint32_t i = 0; i < 5000; ++i) {
    const double confidence = i % 7 == 0 ? 1.0 : std::sqrt(random.uniform(2 * i));
    const bool correct = random.uniform(2 * i + 1) < 0.8 * confidence;
    records.add(confidence, correct);
    histogram.add(confidence, correct);
  }
  for (int bins : {1, 7, 15, 100}) {
    EXPECT_GT(records.adaptive_error(bins), 0.05);
    EXPECT_DOUBLE_EQ(records.adaptive_error(bins), histogram.adaptive_error(bins));
  }
}

}  // namespace
}  // namespace smoothlab::eval
