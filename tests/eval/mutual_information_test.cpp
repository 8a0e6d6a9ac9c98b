#include "eval/mutual_information.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "cluster/addressed_random.h"
#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

/// f[x, l] = center(x) + noise·normal.
std::vector<double> draws_about(int64_t examples, int64_t draws, double noise,
                                const std::function<double(int64_t)>& center) {
  std::vector<double> f;
  for (int64_t x = 0; x < examples; ++x) {
    const AddressedRandom random(7, Purpose::monte_carlo, 0, static_cast<uint64_t>(x));
    for (int64_t l = 0; l < draws; ++l)
      f.push_back(center(x) + noise * random.normal(static_cast<uint32_t>(l)));
  }
  return f;
}

double information(const std::vector<double>& f, int64_t examples, int64_t draws) {
  return mutual_information(f, examples, draws).information;
}

TEST(MutualInformation, WithoutNoiseItIsTheEntropyOfThePartition) {
  const auto exact = [](int64_t examples, const std::function<double(int64_t)>& center) {
    return information(draws_about(examples, 5, 0, center), examples, 5);
  };
  EXPECT_EQ(exact(600, [](int64_t) { return 0.1; }), 0);
  EXPECT_NEAR(exact(600, [](int64_t x) { return x % 2 == 0 ? -3.7 : 2.1; }), std::log(2.0), 1e-12);
  EXPECT_NEAR(exact(600, [](int64_t x) { return 0.1 * static_cast<double>(x); }), std::log(600.0), 1e-12);
  // Parts of 1/4 and 3/4.
  EXPECT_NEAR(exact(8, [](int64_t x) { return x < 2 ? 1.0 : 0.0; }),
              -0.25 * std::log(0.25) - 0.75 * std::log(0.75), 1e-12);
}

TEST(MutualInformation, ExamplesFarApartReachTheBound) {
  const auto result =
      mutual_information(draws_about(300, 5, 0.01, [](int64_t x) { return static_cast<double>(x); }), 300, 5);
  EXPECT_NEAR(result.information, std::log(300.0), 1e-9);
  EXPECT_DOUBLE_EQ(result.bound, std::log(300.0));
  EXPECT_NEAR(result.variance, 1e-4 * 4 / 5, 5e-6);  // in-sample: (L−1)/L of the noise
}

// ½·log(L/(L−1)) over the truth: 0 for one cluster, log 2 for two.
TEST(MutualInformation, TheFloorIsWhatOneDistributionGives) {
  for (const int64_t draws : {2, 5, 20}) {
    const double floor = 0.5 * std::log(static_cast<double>(draws) / static_cast<double>(draws - 1));
    const auto one =
        mutual_information(draws_about(2000, draws, 1.3, [](int64_t) { return 4.0; }), 2000, draws);
    EXPECT_DOUBLE_EQ(one.floor, floor);
    EXPECT_NEAR(one.information, floor, 0.012) << draws;
    const auto two = draws_about(2000, draws, 1.3, [](int64_t x) { return x % 2 == 0 ? -40.0 : 40.0; });
    EXPECT_NEAR(information(two, 2000, draws), std::log(2.0) + floor, 0.02) << draws;
  }
  EXPECT_NEAR(mutual_information({1, 2, 3, 4, 5}, 1, 5).floor, 0.1116, 5e-5);
}

/// Quantile of the standard normal, by bisection.
double normal_quantile(double part) {
  double low = -10, high = 10;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < part ? low : high) = middle;
  }
  return low;
}

/// I(X; Y) of a uniform X over these means under noise: h(Y) − h(Y|X), with h(Y) integrated by the midpoint
/// rule.
double integrated_truth(const std::vector<double>& means, double noise) {
  const double reach = means.back() + 10 * noise, step = noise / 40;
  double entropy = 0;
  for (double y = -reach; y < reach; y += step) {
    double density = 0;
    for (const double mean : means)
      density += std::exp(-0.5 * (y - mean) * (y - mean) / (noise * noise)) / (noise * std::sqrt(2 * M_PI));
    density /= static_cast<double>(means.size());
    if (density > 0) entropy -= density * std::log(density) * step;
  }
  return entropy - 0.5 * std::log(2 * M_PI * M_E * noise * noise);
}

TEST(MutualInformation, AGaussianChannelAgreesWithItsIntegral) {
  constexpr int64_t examples = 200, draws = 400;
  std::vector<double> means;
  for (int64_t x = 0; x < examples; ++x)
    means.push_back(normal_quantile((static_cast<double>(x) + 0.5) / examples));
  for (const double noise : {1.0, 0.4, 0.1}) {
    const double truth = integrated_truth(means, noise);
    // The closed form of a continuous Gaussian input is near: that the integral is of the right thing.
    EXPECT_NEAR(truth, 0.5 * std::log(1 + 1 / (noise * noise)), 0.03);
    const auto f =
        draws_about(examples, draws, noise, [&](int64_t x) { return means[static_cast<size_t>(x)]; });
    EXPECT_NEAR(information(f, examples, draws), truth, 0.02 * truth) << noise;
  }
}

/// As the equation stands, every term.
double by_brute_force(const std::vector<double>& f, size_t examples, size_t draws) {
  std::vector<double> means(examples, 0.0);
  double variance = 0, sum = 0;
  const auto total = static_cast<double>(examples * draws);
  for (size_t i = 0; i < f.size(); ++i) means[i / draws] += f[i] / static_cast<double>(draws);
  for (size_t i = 0; i < f.size(); ++i) variance += std::pow(f[i] - means[i / draws], 2) / total;
  for (size_t i = 0; i < f.size(); ++i) {
    double others = 0;
    for (const double mean : means)
      others += std::exp(-std::pow(f[i] - mean, 2) / (2 * variance)) / static_cast<double>(examples);
    sum += -std::pow(f[i] - means[i / draws], 2) / (2 * variance) - std::log(others);
  }
  return sum / total;
}

TEST(MutualInformation, IsTheEquationOnAnyNumberOfThreads) {
  const auto f = draws_about(150, 3, 0.7, [](int64_t x) { return 0.05 * static_cast<double>(x * x % 97); });
  const double once = mutual_information(f, 150, 3, 1).information;
  EXPECT_NEAR(once, by_brute_force(f, 150, 3), 1e-12);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(mutual_information(f, 150, 3, threads).information, once);
}

TEST(MutualInformation, ValuesOfAnyScale) {
  const auto f = draws_about(50, 4, 0.2, [](int64_t x) { return static_cast<double>(x % 5); });
  const double once = information(f, 50, 4);
  for (const double scale : {1e-150, 1e150}) {
    auto scaled = f;
    for (double& value : scaled) value *= scale;
    EXPECT_NEAR(information(scaled, 50, 4), once, 1e-9) << scale;
  }
  // One draw far out: its exponentials would all be 0.
  auto out = f;
  out[7] = 1e6;
  EXPECT_TRUE(std::isfinite(information(out, 50, 4)));
}

TEST(MutualInformation, RefusesWhatTellsNothing) {
  EXPECT_THROW(mutual_information({1, 2, 3}, 3, 1), UsageError);
  EXPECT_THROW(mutual_information({}, 0, 5), UsageError);
  EXPECT_THROW(mutual_information({1, 2, 3}, 2, 2), UsageError);
  try {
    mutual_information({1, 2, 3, std::numeric_limits<double>::quiet_NaN()}, 2, 2);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("draw 1 of example 1 is nan"));
  }
  EXPECT_THROW(mutual_information({1, 2, std::numeric_limits<double>::infinity(), 4}, 2, 2), DataError);
}

}  // namespace
}  // namespace smoothlab::eval
