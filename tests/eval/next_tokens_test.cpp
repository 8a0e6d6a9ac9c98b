#include "eval/next_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/addressed_random.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Normal, rounded to halves where `ties` are wanted.
std::vector<float> random_row(int64_t n, uint64_t sample, bool ties) {
  const AddressedRandom random(1, Purpose::generated_data, 0, sample);
  std::vector<float> z(static_cast<size_t>(n));
  for (size_t k = 0; k < z.size(); ++k) {
    const double value = 3 * random.normal(static_cast<uint32_t>(k));
    z[k] = static_cast<float>(ties ? std::round(2 * value) / 2 : value);
  }
  return z;
}

TEST(NextTokens, TopCandidatesAreThoseOfASort) {
  uint64_t sample = 0;
  for (const int64_t n : {1, 5, 63, 64, 65, 200, 5000})
    for (const int64_t count : {1, 2, 8, 70, 6000})
      for (const bool ties : {false, true})
        for (const bool rising : {false, true}) {
          auto z = random_row(n, ++sample, ties);
          if (rising) std::sort(z.begin(), z.end());
          const std::vector<int32_t> never = {0, 3, static_cast<int32_t>(n - 1)};
          std::vector<int32_t> order;
          for (int32_t k = 0; k < n; ++k)
            if (std::find(never.begin(), never.end(), k) == never.end()) order.push_back(k);
          std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
            return z[static_cast<size_t>(a)] > z[static_cast<size_t>(b)];
          });
          std::vector<Candidate> best;
          top_candidates(z.data(), n, count, never, best);
          ASSERT_EQ(best.size(), std::min(order.size(), static_cast<size_t>(count)));
          for (size_t i = 0; i < best.size(); ++i) {
            ASSERT_EQ(best[i].token, order[i]) << n << ' ' << count << ' ' << i;
            ASSERT_EQ(best[i].logit, z[static_cast<size_t>(order[i])]);
          }
        }
}

// Room for as many as were asked for was made, 2^40 of them.
TEST(NextTokens, TopCandidatesAreNoMoreThanThereAre) {
  const auto z = random_row(9, 1, false);
  std::vector<Candidate> best;
  top_candidates(z.data(), 9, int64_t{1} << 60, {}, best);
  EXPECT_EQ(best.size(), 9U);
}

TEST(NextTokens, LogProbabilitiesAreThoseOfSoftmax) {
  for (const int64_t n : {1, 2, 17, 1000, 37000})
    for (const double temperature : {0.05, 0.5, 1.0, 4.0}) {
      const auto z = random_row(n, static_cast<uint64_t>(n), false);
      FloatLanes room(n);
      const NextTokens next = next_tokens(z.data(), n, temperature, room.data());
      const double maximum = static_cast<double>(*std::max_element(z.begin(), z.end()));
      double sum = 0;
      for (const float v : z) sum += std::exp((static_cast<double>(v) - maximum) / temperature);
      double all = 0;
      for (const float v : z) {
        const double truth = (static_cast<double>(v) - maximum) / temperature - std::log(sum);
        const double given = next.log_probability(v);
        EXPECT_LE(given, 0);
        EXPECT_NEAR(given, truth, 1e-6 * (1 - truth));
        all += std::exp(given);
      }
      EXPECT_TRUE(next.finite);
      EXPECT_NEAR(all, 1, 1e-5);
    }
}

TEST(NextTokens, ExtremeLogitsGiveNothingAboveNought) {
  const float most = std::numeric_limits<float>::max();
  const std::vector<float> z = {-most, most, 0, most};
  FloatLanes room(4);
  for (const double temperature : {1e-3, 1.0, 1e3}) {
    const NextTokens next = next_tokens(z.data(), 4, temperature, room.data());
    EXPECT_DOUBLE_EQ(next.log_probability(z[1]), -std::log(2));
    EXPECT_LT(next.log_probability(z[0]), -1e30);
  }
}

TEST(NextTokens, WhatIsNotFiniteIsSeen) {
  FloatLanes room(70);
  for (const float bad :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
    for (const size_t at : {0U, 33U, 69U}) {
      std::vector<float> z(70, 1.0F);
      z[at] = bad;
      EXPECT_FALSE(next_tokens(z.data(), 70, 1, room.data()).finite);
    }
}

TEST(NextTokens, SpecialTokensAreNoText) {
  EXPECT_THAT(tokens_without_text({0, 1, 2, 3}), ElementsAre(0, 1, 2));
  EXPECT_THAT(tokens_without_text({-1, 0, -1, 2}), ElementsAre(0));
  EXPECT_THAT(tokens_without_text({-1, -1, 2, 2}), IsEmpty()) << "outputs that begin with the end token";
}

}  // namespace
}  // namespace smoothlab::eval
