#include "eval/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

CalibrationSums judge(const std::vector<float>& logits, const std::vector<int64_t>& labels, int bins = 15,
                      double temperature = 1) {
  CalibrationSums sums(bins);
  const auto rows = static_cast<int64_t>(labels.size());
  accumulate_calibration(logits.data(), labels.data(), rows, static_cast<int64_t>(logits.size()) / rows,
                         temperature, sums);
  return sums;
}

TEST(CalibrationBin, EdgesBelongToTheBinThatTheConventionNames) {
  for (int bins : {1, 2, 3, 7, 10, 15, 20, 49, 100})
    for (int b = 1; b < bins; ++b) {
      const double edge = static_cast<double>(b) / bins;
      EXPECT_EQ(confidence_bin(edge, bins, BinEdges::standard), b);
      EXPECT_EQ(confidence_bin(std::nextafter(edge, 0.0), bins, BinEdges::standard), b - 1);
      EXPECT_EQ(confidence_bin(edge, bins, BinEdges::guo), b - 1);
      EXPECT_EQ(confidence_bin(std::nextafter(edge, 1.0), bins, BinEdges::guo), b);
    }
  EXPECT_EQ(confidence_bin(1, 15, BinEdges::standard), 14);
  EXPECT_EQ(confidence_bin(1, 15, BinEdges::guo), 14);
  EXPECT_EQ(confidence_bin(0, 15, BinEdges::standard), 0);
  EXPECT_EQ(confidence_bin(0, 15, BinEdges::guo), -1);
}

TEST(CalibrationSums, TwoClassesInClosedForm) {
  // softmax(log 3, 0) = (3/4, 1/4): right, then wrong.
  const float z = std::log(3.0F);
  const CalibrationSums sums = judge({z, 0, z, 0}, {0, 1});
  EXPECT_DOUBLE_EQ(sums.accuracy(), 0.5);
  EXPECT_DOUBLE_EQ(sums.top5_accuracy(), 1);
  EXPECT_NEAR(sums.mean_nll(), 0.5 * (std::log(4.0 / 3) + std::log(4.0)), 1e-7);
  EXPECT_NEAR(sums.mean_brier(), 0.5 * (2.0 / 16 + 2 * 9.0 / 16), 1e-7);
  EXPECT_NEAR(sums.ece(), 0.25, 1e-7);
  EXPECT_NEAR(sums.standard.maximum_error(), 0.25, 1e-7);
}

TEST(CalibrationSums, TemperatureDividesLogits) {
  const float z = std::log(9.0F);
  const CalibrationSums sums = judge({z, 0}, {0}, 15, 2);
  EXPECT_NEAR(sums.mean_nll(), std::log(4.0 / 3), 1e-7);
}

TEST(CalibrationSums, EqualLogitsLieOnAnEdge) {
  const CalibrationSums thirds = judge({1, 1, 1}, {0});
  EXPECT_EQ(thirds.standard.count[5], 1);
  EXPECT_EQ(thirds.guo.count[4], 1);
  const CalibrationSums halves = judge({-2, -2}, {1}, 10);
  EXPECT_EQ(halves.standard.count[5], 1);
  EXPECT_EQ(halves.guo.count[4], 1);
  EXPECT_EQ(halves.accuracy(), 0) << "a tie goes to the lowest class";
}

TEST(CalibrationSums, ConfidenceOneAndVanishingTruthStayFinite) {
  const CalibrationSums sums = judge({1000, 0, -1000, 1000, 0, -1000}, {0, 2});
  EXPECT_EQ(sums.standard.count[14], 2);
  EXPECT_DOUBLE_EQ(sums.mean_nll(), 1000);
  EXPECT_DOUBLE_EQ(sums.mean_brier(), 1);
  EXPECT_DOUBLE_EQ(sums.ece(), 0.5);
}

TEST(CalibrationSums, FifthPlaceAmongTiesGoesToTheLowestClass) {
  const std::vector<float> equal(7, 0.5F);
  EXPECT_EQ(judge(equal, {4}).top5, 1);
  EXPECT_EQ(judge(equal, {5}).top5, 0);
}

TEST(CalibrationSums, MergeAndPackEqualOnePass) {
  const std::vector<float> logits{1, 2, 0, 3, -1, 0.5F, 0, 0, 0.25F, 2, 2, 2};
  const std::vector<int64_t> labels{1, 0, 0, 2};
  const CalibrationSums whole = judge(logits, labels);
  CalibrationSums left = judge({logits.begin(), logits.begin() + 6}, {1, 0});
  left.merge(judge({logits.begin() + 6, logits.end()}, {0, 2}));
  CalibrationSums unpacked;
  unpacked.unpack(left.pack());
  ASSERT_EQ(unpacked.pack().size(), whole.pack().size());
  for (size_t i = 0; i < whole.pack().size(); ++i) EXPECT_NEAR(unpacked.pack()[i], whole.pack()[i], 1e-12);
  CalibrationSums other(10);
  EXPECT_THROW(other.unpack(left.pack()), UsageError);
  EXPECT_THROW(other.merge(left), UsageError);
}

TEST(CalibrationSums, BadRowsAreNamed) {
  const std::string row_and_class = "logit of class 2 is not finite (row 1 ";
  for (float bad : {infinity, -infinity, std::nanf("")}) {
    try {
      judge({0, 1, 2, 0, 1, bad}, {0, 0});
      FAIL() << "accepted " << bad;
    } catch (const DataError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(row_and_class, 0), 0U) << error.what();
    }
  }
  EXPECT_THROW(judge({0, 1, 2}, {3}), DataError);
  EXPECT_THROW(judge({0, 1, 2}, {-1}), DataError);
  EXPECT_THROW(judge({0, 1}, {0, 0}), DataError) << "K = 1";
  EXPECT_THROW(judge({0, 1}, {0}, 0), UsageError);
  EXPECT_THROW(judge({0, 1}, {0}, 15, 0), UsageError);
  EXPECT_THROW(judge({0, 1}, {0}, 15, std::nan("")), UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
