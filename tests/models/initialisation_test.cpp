#include "models/initialisation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace smoothlab::models {
namespace {

double deviation(const at::Tensor& values) {
  return std::sqrt(values.to(at::kDouble).square().mean().item<double>());
}

at::Tensor sample(const Initialiser& initialiser) {
  return initial_value(initialiser, {200, 500}, "w", 7, false);
}

// 1e5 draws: the deviation's own standard error is 0.22 %, the mean's 0.32 % of a deviation.
TEST(Initialisation, HasTheDeviationItSays) {
  EXPECT_NEAR(deviation(sample(Initialiser::normal(0.03))), 0.03, 0.03 * 0.01);
  EXPECT_NEAR(sample(Initialiser::normal(1)).mean().item<double>(), 0, 0.0125);
  EXPECT_NEAR(deviation(sample(Initialiser::he_normal(50))), 0.2, 0.002);
  EXPECT_NEAR(deviation(sample(Initialiser::lecun_normal(25))), 0.2, 0.002);
  EXPECT_NEAR(deviation(sample(Initialiser::truncated_of_variance(0.04))), 0.2, 0.002);
  EXPECT_NEAR(deviation(sample(Initialiser::uniform(0.3))), 0.3 / std::sqrt(3.0), 0.002);
}

TEST(Initialisation, TruncatesAtTwoDeviations) {
  const at::Tensor values = sample(Initialiser::truncated_normal(0.05));
  EXPECT_LE(values.abs().max().item<double>(), 0.1);
  EXPECT_GT(values.abs().max().item<double>(), 0.0999);
  EXPECT_NEAR(deviation(values), 0.05 * 0.8796, 0.0005);
}

TEST(Initialisation, DependsOnSeedNameAndElementOnly) {
  const auto normal = Initialiser::normal(1);
  const at::Tensor values = initial_value(normal, {4, 3, 2, 2}, "a", 1, false);
  EXPECT_TRUE(at::equal(values, initial_value(normal, {4, 3, 2, 2}, "a", 1, true)));
  // A taller tensor begins with the same rows.
  EXPECT_TRUE(at::equal(values, initial_value(normal, {9, 3, 2, 2}, "a", 1, false).slice(0, 0, 4)));
  EXPECT_FALSE(at::equal(values, initial_value(normal, {4, 3, 2, 2}, "b", 1, false)));
  EXPECT_FALSE(at::equal(values, initial_value(normal, {4, 3, 2, 2}, "a", 2, false)));
}

}  // namespace
}  // namespace smoothlab::models
