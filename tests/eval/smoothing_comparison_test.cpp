#include "eval/smoothing_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "eval/calibration_page.h"
#include "eval/recipe_text.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string recipe(int seed, const std::string& alpha, const std::string& rate = "0.1") {
  return "optimizer:\n  name: sgd\n  lr: " + rate +
         "\n  groups:\n    - match: bias\n      lr: 0\ntargets:\n" + "  alpha: " + alpha +
         "\ntrain:\n  steps: 40\n  seed: " + std::to_string(seed) + "\n  workers: " + std::to_string(seed) +
         "\nevaluate:\n  batch: " + std::to_string(seed) + "\n";
}

CalibrationReport report(const std::string& alpha, double ece, double scaled_ece = 0.02, double t = 2) {
  CalibrationReport made;
  made.file = "a" + alpha + "-" + std::to_string(ece) + ".h5";
  made.rows = 30;
  made.classes = 10;
  made.origin = {{"alpha", alpha}, {"task", "toy"}, {"model", "mlp"}, {"split", "test"}, {"step", "40"}};
  made.unscaled.bins = ReliabilityBins(15);
  made.unscaled.ece = ece;
  made.scaled = made.unscaled;
  made.scaled->ece = scaled_ece;
  made.fit = TemperatureFit{t, FitEnd::interior};
  return made;
}

CalibrationReport trained(const std::string& alpha, double ece, const std::string& text) {
  CalibrationReport made = report(alpha, ece);
  made.recipe = text;
  return made;
}

// The first hard file used to be the baseline, so that figures depended on the order of arguments.
TEST(SmoothingComparison, SeveralSeedsOfHardTargetsAreOneMeanInAnyOrder) {
  std::vector<CalibrationReport> reports{report("0", 0.1, 0.01, 1), report("0", 0.2, 0.03, 4),
                                         report("0.1", 0.05), report("0.1", 0.07), report("0.2", 0.5)};
  reports[1].origin["alpha"] = "0.0";
  std::vector<size_t> order{0, 1, 2, 3, 4};
  do {
    std::vector<CalibrationReport> given;
    for (const size_t i : order) given.push_back(reports[i]);
    auto rows = compare_smoothing(given);
    ASSERT_EQ(rows.size(), 2U);
    if (rows[0].alpha == 0.2) std::swap(rows[0], rows[1]);
    EXPECT_EQ(rows[0].hard_ece, (0.1 + 0.2) / 2);
    EXPECT_EQ(rows[0].hard_scaled_ece, (0.01 + 0.03) / 2);
    EXPECT_DOUBLE_EQ(*rows[0].temperature, 2);
    EXPECT_EQ(rows[0].hard_runs, 2);
    EXPECT_EQ(rows[0].smoothed_ece, (0.05 + 0.07) / 2);
    EXPECT_EQ(rows[0].smoothed_runs, 2);
    EXPECT_EQ(rows[1].hard_ece, rows[0].hard_ece);
    EXPECT_EQ(rows[1].smoothed_runs, 1);
    EXPECT_TRUE(notes_of(rows).empty());
  } while (std::next_permutation(order.begin(), order.end()));
  const auto rows = compare_smoothing(reports);
  EXPECT_THAT(to_text(rows), HasSubstr("0.150 of 2"));
  EXPECT_THAT(to_text(rows), HasSubstr("0.060 of 2 (alpha=0.1)"));
  EXPECT_THAT(calibration_page(reports), HasSubstr("mean of 2 runs"));
  EXPECT_THAT(calibration_page(reports), HasSubstr("α = 0.1, mean of 2 runs"));
}

TEST(SmoothingComparison, PairsFilesOfTheSameRecipe) {
  const auto rows =
      compare_smoothing({trained("0", 0.9, recipe(1, "0", "0.5")), trained("0", 0.1, recipe(1, "0")),
                         trained("0", 0.2, recipe(2, "0")), trained("0.1", 0.05, recipe(3, "0.1"))});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].hard_ece, (0.1 + 0.2) / 2);
  EXPECT_EQ(rows[0].smoothed_ece, 0.05);
  EXPECT_EQ(rows[1].hard_ece, 0.9) << "the other learning rate stays alone";
  EXPECT_FALSE(rows[1].smoothed_ece);
}

TEST(SmoothingComparison, SaysInWhatRecipesDiffer) {
  const auto rows =
      compare_smoothing({trained("0", 0.1, recipe(1, "0")), trained("0.1", 0.05, recipe(1, "0.1", "0.5"))});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].hard_ece, 0.1);
  EXPECT_THAT(rows[0].notes, ElementsAre(HasSubstr("beside alpha: optimizer.lr.")));
}

TEST(SmoothingComparison, PairsNothingWhereSeveralHardRecipesAreOthers) {
  const auto rows =
      compare_smoothing({trained("0", 0.1, recipe(1, "0")), trained("0", 0.3, recipe(1, "0", "0.2")),
                         trained("0.1", 0.05, recipe(1, "0.1", "0.5"))});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_FALSE(rows[0].hard_ece);
  EXPECT_THAT(rows[0].notes, ElementsAre(HasSubstr("those here are of 2 recipes")));
  EXPECT_TRUE(has_both_sides(rows)) << "the note is to be seen";
  EXPECT_THAT(to_text(rows), HasSubstr("note: toy / mlp, alpha 0.1 is set against no hard targets"));
}

// A run stopped early, or evaluated on fewer samples, used to be set against a whole one.
TEST(SmoothingComparison, EvaluationsOfOtherStepsOrRowsAreNotPaired) {
  CalibrationReport early = report("0", 0.1), fewer = report("0", 0.2);
  early.origin["step"] = "10";
  fewer.rows = 20;
  const auto rows = compare_smoothing({early, fewer, report("0.1", 0.05)});
  ASSERT_EQ(rows.size(), 3U);
  for (const auto& row : rows) EXPECT_FALSE(row.hard_ece && row.smoothed_ece);
  EXPECT_EQ(rows[0].name, "toy / mlp, step 10, 30 rows of 10 classes");
  EXPECT_EQ(rows[1].name, "toy / mlp, step 40, 20 rows of 10 classes");
  EXPECT_THAT(to_text(rows), HasSubstr("Only evaluations of the same split, step and rows"));
  EXPECT_THAT(calibration_page({early, fewer, report("0.1", 0.05)}), HasSubstr("step 10"));
}

TEST(SmoothingComparison, ConventionsOfSmoothingAreRowsOfTheirOwn) {
  CalibrationReport other = report("0.1", 0.07);
  other.origin["convention"] = "off-target";
  const auto rows = compare_smoothing({report("0", 0.1), report("0.1", 0.05), other});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].name, "toy / mlp, off-target");
  EXPECT_EQ(rows[1].hard_ece, 0.1);
}

// A shard used to be the baseline where a pattern caught it before the whole file.
TEST(SmoothingComparison, APartOfAnEvaluationTakesNoPart) {
  CalibrationReport part = report("0", 0.9);
  part.part = true;
  const auto rows = compare_smoothing({part, report("0", 0.1), report("0.1", 0.05)});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].hard_ece, 0.1);
  EXPECT_EQ(rows[0].hard_runs, 1);
}

TEST(SmoothingComparison, SaysThatOneRunIsCountedTwice) {
  CalibrationReport one = report("0", 0.1), copy = report("0", 0.1);
  one.origin["recipe_hash"] = copy.origin["recipe_hash"] = "c0ffee";
  EXPECT_THAT(notes_of(compare_smoothing({one, copy})), ElementsAre(HasSubstr("of one recipe and seed")));
}

TEST(SmoothingComparison, ReadsRecipesByDottedKey) {
  const auto values = recipe_values(recipe(7, "0.1"));
  EXPECT_EQ(values.at("optimizer.lr"), "0.1");
  EXPECT_EQ(values.at("train.seed"), "7");
  EXPECT_EQ(recipe_values("model: {name: mlp}\n# note: x\n").at("model"), "{name: mlp}");
  EXPECT_EQ(training_values(recipe(7, "0.1")), training_values(recipe(8, "0")));
  EXPECT_THAT(differing_keys({{"a", "1"}, {"b", "2"}}, {{"b", "3"}, {"c", "4"}}), ElementsAre("a", "b", "c"));
  EXPECT_EQ(training_values("task:\n  path: /a\n"), training_values("task:\n  path: /b\n"));
  EXPECT_EQ(training_values("train:\n  capture: never\n"), training_values("train:\n  capture: auto\n"));
  std::string other = recipe(1, "0");
  other.replace(other.find("match: bias"), 11, "match: norm");
  EXPECT_NE(training_values(other), training_values(recipe(1, "0")));
}

}  // namespace
}  // namespace smoothlab::eval
