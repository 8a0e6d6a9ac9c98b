#include "trainer/checkpoint_choice.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smoothlab::trainer {
namespace {

EvaluationMetrics evaluation(int64_t step, double accuracy, double nll) {
  EvaluationMetrics line;
  line.step = step;
  line.split = "validation";
  line.rows = 10;
  line.accuracy = accuracy;
  line.top5_accuracy = 1 - accuracy;
  line.nll = nll;
  line.brier = 2 * nll;
  return line;
}

/// Offers evaluations at steps 10, 20, …; the step that is chosen, 0 where none is.
int64_t chosen(const std::string& metric, const std::vector<EvaluationMetrics>& evaluations) {
  CheckpointChoice choice(metric);
  for (const auto& one : evaluations)
    if (choice.is_better(one)) choice.take(one);
  return choice.best() ? choice.best()->evaluation.step : 0;
}

TEST(CheckpointChoice, TakesTheHighestAccuracyAndTheLowestLoss) {
  const std::vector<EvaluationMetrics> run = {evaluation(10, 0.5, 1.5), evaluation(20, 0.7, 1.2),
                                              evaluation(30, 0.6, 1.1), evaluation(40, 0.65, 1.4)};
  EXPECT_EQ(chosen("accuracy", run), 20);
  EXPECT_EQ(chosen("nll", run), 30);
  EXPECT_EQ(chosen("brier", run), 30);
  EXPECT_EQ(chosen("top5_accuracy", run), 10);
  EXPECT_EQ(chosen("none", run), 0);
}

TEST(CheckpointChoice, KeepsTheEarlierOfEquals) {
  EXPECT_EQ(chosen("accuracy", {evaluation(10, 0.5, 2), evaluation(20, 0.7, 1), evaluation(30, 0.7, 1)}), 20);
  EXPECT_EQ(chosen("nll", {evaluation(10, 0.7, 1), evaluation(20, 0.5, 1)}), 10);
}

TEST(CheckpointChoice, PassesOverWhatIsNoNumber) {
  const double nan = std::nan(""), inf = INFINITY;
  EXPECT_EQ(chosen("nll", {evaluation(10, 0.5, nan), evaluation(20, 0.5, 9), evaluation(30, 0.5, nan)}), 20);
  EXPECT_EQ(chosen("nll", {evaluation(10, 0.5, inf), evaluation(20, 0.5, -inf)}), 0);
}

TEST(CheckpointChoice, GoesOnWithTheBestOfThatFigureAndSplitAlone) {
  const BestEvaluation earlier{"accuracy", evaluation(10, 0.9, 1)};
  CheckpointChoice same("accuracy"), other("nll"), test("accuracy"), none("none");
  EXPECT_TRUE(same.take_over(earlier, "validation"));
  EXPECT_FALSE(same.is_better(evaluation(20, 0.8, 0)));
  EXPECT_TRUE(same.is_better(evaluation(20, 0.95, 9)));
  for (CheckpointChoice* anew : {&other, &none}) {
    EXPECT_FALSE(anew->take_over(earlier, "validation"));
    EXPECT_FALSE(anew->best());
  }
  EXPECT_FALSE(test.take_over(earlier, "test"));
  EXPECT_TRUE(test.is_better(evaluation(20, 0.1, 9)));
  EXPECT_FALSE(same.take_over(std::nullopt, "validation"));
}

}  // namespace
}  // namespace smoothlab::trainer
