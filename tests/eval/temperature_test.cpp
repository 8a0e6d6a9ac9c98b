#include "eval/temperature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

struct Rows {
  int64_t classes;
  std::vector<float> logits;
  std::vector<int64_t> labels;
  TemperatureFit fit() const {
    return fit_temperature(logits.data(), labels.data(), static_cast<int64_t>(labels.size()), classes);
  }
};

/// Labels drawn from softmax(z), logits given as factor · z: the best temperature is near `factor`.
Rows overconfident(int64_t rows, int64_t classes, double factor, uint64_t seed) {
  Rows made{classes, {}, {}};
  for (int64_t i = 0; i < rows; ++i) {
    const AddressedRandom random(seed, Purpose::generated_data, 0, static_cast<uint64_t>(i));
    std::vector<double> z, cumulative;
    double sum = 0;
    for (int64_t k = 0; k < classes; ++k) {
      z.push_back(2 * random.normal(static_cast<uint32_t>(k)));
      cumulative.push_back(sum += std::exp(z.back()));
      made.logits.push_back(static_cast<float>(factor * z.back()));
    }
    const double u = random.uniform(static_cast<uint32_t>(classes)) * sum;
    int64_t label = 0;
    while (label + 1 < classes && cumulative[static_cast<size_t>(label)] <= u) ++label;
    made.labels.push_back(label);
  }
  return made;
}

double nll(const Rows& rows, double temperature) {
  double sum = 0;
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    const float* z = rows.logits.data() + static_cast<int64_t>(i) * rows.classes;
    double exponentials = 0, most = z[0];
    for (int64_t k = 1; k < rows.classes; ++k) most = std::max(most, static_cast<double>(z[k]));
    for (int64_t k = 0; k < rows.classes; ++k) exponentials += std::exp((z[k] - most) / temperature);
    sum += std::log(exponentials) - (z[rows.labels[i]] - most) / temperature;
  }
  return sum;
}

/// Golden-section search in double, over log T.
double slow_temperature(const Rows& rows) {
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  double low = std::log(lowest_temperature), high = std::log(highest_temperature);
  for (int i = 0; i < 80; ++i) {
    const double a = high - golden * (high - low), b = low + golden * (high - low);
    if (nll(rows, std::exp(a)) < nll(rows, std::exp(b)))
      high = b;
    else
      low = a;
  }
  return std::exp(0.5 * (low + high));
}

TEST(Temperature, TwoClassesInClosedForm) {
  // Three rows in four right with margin m: p = 3/4 is best, so T = m / log 3.
  for (double margin : {0.1, 1.0, 5.0, 20.0}) {
    const auto m = static_cast<float>(margin);
    const Rows rows{2, {m, 0, m, 0, m, 0, m, 0}, {0, 0, 0, 1}};
    const TemperatureFit fit = rows.fit();
    EXPECT_EQ(fit.end, FitEnd::interior);
    EXPECT_NEAR(fit.temperature, static_cast<double>(m) / std::log(3.0), 1e-6 * fit.temperature);
  }
}

TEST(Temperature, AgreesWithASlowSearchInDouble) {
  for (double factor : {0.2, 0.7, 1.0, 2.5, 9.0})
    for (int64_t classes : {2, 10, 33}) {
      const Rows rows = overconfident(300, classes, factor, 3);
      const TemperatureFit fit = rows.fit();
      const double slow = slow_temperature(rows);
      ASSERT_EQ(fit.end, FitEnd::interior);
      // A search on values cannot place a minimum better than to the root of their rounding.
      EXPECT_NEAR(fit.temperature / slow, 1, 1e-6) << factor << " " << classes;
      EXPECT_LE(nll(rows, fit.temperature), nll(rows, slow) * (1 + 1e-13));
    }
}

TEST(Temperature, ScalingTheLogitsScalesTheTemperature) {
  const Rows rows = overconfident(500, 10, 1, 5);
  Rows doubled = rows;
  for (float& z : doubled.logits) z *= 2;
  EXPECT_NEAR(doubled.fit().temperature, 2 * rows.fit().temperature, 1e-5);
}

TEST(Temperature, SeparableRowsEndAtTheLowerBound) {
  for (float margin : {0.01F, 1.0F, 50.0F, 200.0F, 1000.0F}) {
    const Rows rows{3, {margin, 0, 0, 0, margin, 0}, {0, 1}};
    const TemperatureFit fit = rows.fit();
    EXPECT_EQ(fit.end, FitEnd::lower_bound) << margin;
    EXPECT_DOUBLE_EQ(fit.temperature, lowest_temperature);
  }
}

TEST(Temperature, RowsThatAreAllWrongEndAtTheUpperBound) {
  for (float margin : {0.01F, 1.0F, 1000.0F}) {
    const Rows rows{2, {margin, 0}, {1}};
    EXPECT_EQ(rows.fit().end, FitEnd::upper_bound) << margin;
    EXPECT_DOUBLE_EQ(rows.fit().temperature, highest_temperature);
  }
}

TEST(Temperature, EqualLogitsAreFlat) {
  const Rows rows{4, {1, 1, 1, 1, -2, -2, -2, -2}, {0, 3}};
  EXPECT_EQ(rows.fit().end, FitEnd::flat);
  EXPECT_EQ(rows.fit().temperature, 1);
}

TEST(Temperature, OneWrongRowAmongManyRightOnes) {
  Rows rows{2, {}, {}};
  for (int i = 0; i < 1000; ++i) {
    rows.logits.insert(rows.logits.end(), {8, 0});
    rows.labels.push_back(i == 500 ? 1 : 0);
  }
  EXPECT_NEAR(rows.fit().temperature, 8 / std::log(999.0), 1e-5);
}

TEST(Temperature, MarginsBeyondSinglePrecisionDoNotDiverge) {
  // exp(−100) is below the least float32: right rows say nothing at T = 1, the wrong one pushes T up to where
  // the confidence is 999 in 1000, 100 / log 999.
  Rows rows{2, {}, {}};
  for (int i = 0; i < 1000; ++i) {
    rows.logits.insert(rows.logits.end(), {100, 0});
    rows.labels.push_back(i == 0 ? 1 : 0);
  }
  EXPECT_NEAR(rows.fit().temperature, 100 / std::log(999.0), 1e-4);
  for (float& z : rows.logits) z *= 100;
  EXPECT_EQ(rows.fit().end, FitEnd::upper_bound);
}

}  // namespace
}  // namespace smoothlab::eval
