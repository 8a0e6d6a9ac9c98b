#include "eval/equivalent_smoothing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

double gamma_of(const std::vector<float>& logits, const std::vector<int64_t>& labels, double temperature) {
  EquivalentSmoothing smoothing({temperature}, static_cast<int64_t>(logits.size() / labels.size()));
  smoothing.add(logits.data(), labels.data(), static_cast<int64_t>(labels.size()));
  return smoothing.gamma()[0];
}

TEST(EquivalentSmoothing, OfAUniformTeacherIsOne) {
  EXPECT_DOUBLE_EQ(gamma_of({2, 2, 2, 2, -1, -1, -1, -1}, {0, 3}, 3), 1);
}

TEST(EquivalentSmoothing, OfAOneHotTeacherIsZero) {
  EXPECT_EQ(gamma_of({0, 5000, 0, 0}, {1}, 1), 0);
}

TEST(EquivalentSmoothing, OfTargetsSmoothedByAlphaIsAlpha) {
  for (const double alpha : {0.05, 0.1, 0.5, 0.9}) {
    const double k = 5, off = alpha / k;
    const auto z = [&](double p) { return static_cast<float>(std::log(p)); };
    const float low = z(off), high = z(1 - alpha + off);
    EXPECT_NEAR(gamma_of({low, low, high, low, low, high, low, low, low, low}, {2, 0}, 1), alpha, 1e-6);
    // Logits of twice the size at twice the temperature are the same distribution.
    EXPECT_NEAR(gamma_of({2 * low, 2 * low, 2 * high, 2 * low, 2 * low}, {2}, 2), alpha, 1e-6);
  }
}

/// A teacher that is surely wrong tells nothing of the class: more than the uniform one.
TEST(EquivalentSmoothing, OfAWrongTeacherIsAboveOne) {
  EXPECT_NEAR(gamma_of({100, 0, 0, 0}, {1}, 1), 4.0 / 3, 1e-12);
}

TEST(EquivalentSmoothing, IsCloseToZeroWithoutCancellation) {
  const double gamma = gamma_of({50, 0}, {0}, 1);
  EXPECT_NEAR(gamma / (2 * std::exp(-50.0)), 1, 1e-12);
}

TEST(EquivalentSmoothing, RowsAddUpAtEveryTemperature) {
  const std::vector<float> logits = {1, 2, 3, 0, -1, 4, 2, 2, 0};
  const std::vector<int64_t> labels = {2, 0, 1};
  EquivalentSmoothing whole({1, 4}, 3), first({1, 4}, 3), second({1, 4}, 3);
  whole.add(logits.data(), labels.data(), 3);
  first.add(logits.data(), labels.data(), 1);
  second.add(logits.data() + 3, labels.data() + 1, 2);
  for (size_t i = 0; i < whole.sums().size(); ++i)
    EXPECT_DOUBLE_EQ(whole.sums()[i], first.sums()[i] + second.sums()[i]);
  EXPECT_EQ(whole.rows(), 3);
  for (size_t t = 0; t < 2; ++t)
    EXPECT_NEAR(whole.gamma()[t], gamma_of(logits, labels, t == 0 ? 1 : 4), 1e-15);
  EXPECT_GT(whole.gamma()[1], whole.gamma()[0]) << "a higher temperature smooths";
}

TEST(EquivalentSmoothing, RefusesATemperatureThatIsNone) {
  for (const double temperature : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_THROW(EquivalentSmoothing({temperature}, 3), UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
