#include "eval/token_sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "cluster/error.h"
#include "eval/toy_decoding.h"

namespace smoothlab::eval {
namespace {

using test::hashed_model;
using test::ToyDecoding;
using test::ToyModel;
using testing::ElementsAre;
using testing::HasSubstr;
using Sources = std::vector<std::vector<int32_t>>;
using Found = std::vector<std::vector<Hypothesis>>;

SamplingOptions draws(int64_t n, double temperature = 1, int64_t top_k = 0) {
  SamplingOptions options;
  options.n = n;
  options.temperature = temperature;
  options.top_k = top_k;
  options.longest_extra = 6;
  return options;
}

Found sample(const Sources& sources, std::vector<int64_t> ids, int64_t classes, const ToyModel& model,
             const SamplingOptions& options, int threads = 1) {
  ToyDecoding decoding(sources, classes, model);
  return sample_translations(decoding, search_batch(test::sentences(sources), std::move(ids)),
                             test::toy_vocabulary(classes), options, threads);
}

void expect_same(const std::vector<Hypothesis>& a, const std::vector<Hypothesis>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].tokens, b[i].tokens);
    EXPECT_EQ(a[i].log_probability, b[i].log_probability);
  }
}

/// Of the first tokens of many draws against p; the 99.99 % point of χ² with 5, 2 degrees is 25.7, 18.4.
void expect_frequencies(const std::vector<float>& z, double temperature, int64_t top_k,
                        const std::vector<size_t>& possible, double limit) {
  const auto classes = static_cast<int64_t>(z.size());
  const ToyModel model = [&z](const auto&, const auto& prefix, float* logits) {
    std::copy(z.begin(), z.end(), logits);
    if (prefix.size() > 1) logits[z.size() - 1] = 60;  // one token a draw
  };
  double sum = 0;
  for (const size_t k : possible) sum += std::exp(static_cast<double>(z[k]) / temperature);
  std::map<size_t, double> counts;
  const int64_t sentences = 40, n = 250;
  const auto found = sample(
      Sources(static_cast<size_t>(sentences), {1}),
      [] {
        std::vector<int64_t> ids;
        for (int64_t i = 0; i < sentences; ++i) ids.push_back(i);
        return ids;
      }(),
      classes, model, draws(n, temperature, top_k));
  for (const auto& each : found)
    for (const auto& one : each)
      ++counts[one.tokens.empty() ? z.size() - 1 : static_cast<size_t>(one.tokens[0])];
  double chi_square = 0, seen = 0;
  for (const size_t k : possible) {
    const double expected =
        static_cast<double>(sentences * n) * std::exp(static_cast<double>(z[k]) / temperature) / sum;
    chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    seen += counts[k];
  }
  EXPECT_EQ(seen, static_cast<double>(sentences * n)) << "no others";
  EXPECT_LT(chi_square, limit);
}

TEST(TokenSampling, FrequenciesAreTheProbabilities) {
  const std::vector<float> z = {0.5F, -1, 1.2F, 0, -0.3F, 0.8F};
  for (const double temperature : {0.7, 1.0, 2.5})
    expect_frequencies(z, temperature, 0, {0, 1, 2, 3, 4, 5}, 25.7);
  for (const double temperature : {0.7, 2.5}) expect_frequencies(z, temperature, 3, {2, 5, 0}, 18.4);
}

TEST(TokenSampling, DrawIsAFunctionOfItsAddress) {
  const int64_t classes = 6000;
  const auto model = hashed_model(3, classes, 1.5, 5);
  Sources sources;
  for (int32_t i = 0; i < 14; ++i) sources.emplace_back(static_cast<size_t>(1 + i % 4), i);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < 14; ++i) ids.push_back(100 + i);
  const auto together = sample(sources, ids, classes, model, draws(4), 3);
  for (size_t i = 0; i < sources.size(); ++i)
    expect_same(together[i], sample({sources[i]}, {ids[i]}, classes, model, draws(4))[0]);
  const auto fewer = sample({sources[5]}, {ids[5]}, classes, model, draws(2))[0];
  expect_same(fewer, {together[5][0], together[5][1]});
  EXPECT_NE(together[0][0].tokens, together[0][1].tokens);
  auto other = draws(4);
  other.seed = 2;
  EXPECT_NE(sample({sources[5]}, {ids[5]}, classes, model, other)[0][0].tokens, together[5][0].tokens);
  EXPECT_NE(sample({sources[5]}, {7}, classes, model, draws(4))[0][0].tokens, together[5][0].tokens);
}

TEST(TokenSampling, OfTheMostProbableOneIsGreedy) {
  const auto model = hashed_model(4, 12, 2, 1);
  const auto found = sample({{1, 2}}, {0}, 12, model, draws(3, 1, 1))[0];
  std::vector<int32_t> prefix = {11};
  std::vector<float> z(12);
  for (;;) {
    model({1, 2}, prefix, z.data());
    const auto best = static_cast<int32_t>(std::max_element(z.begin(), z.end()) - z.begin());
    if (best == 11 || prefix.size() == 1 + 1 + 6) break;
    prefix.push_back(best);
  }
  for (const auto& one : found) EXPECT_EQ(one.tokens, std::vector<int32_t>(prefix.begin() + 1, prefix.end()));
}

TEST(TokenSampling, LengthsAndLogProbabilities) {
  auto options = draws(50);
  options.shortest = 2;
  options.longest_extra = 3;
  const auto model = test::markov_model({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}});
  const auto found = sample({{1, 2}}, {0}, 3, model, options)[0];
  std::map<size_t, int> lengths;
  for (const auto& one : found) {
    ++lengths[one.tokens.size()];
    EXPECT_NEAR(one.log_probability, -static_cast<double>(one.tokens.size() + 1) * std::log(3), 1e-6);
    EXPECT_EQ(one.score, one.log_probability);
    EXPECT_EQ(one.cut, one.tokens.size() == 4);
  }
  EXPECT_EQ(lengths.begin()->first, 2U);
  EXPECT_EQ(lengths.rbegin()->first, 4U);
}

TEST(TokenSampling, SpecialTokensAreNotDrawn) {
  const data::Vocabulary vocabulary{6, {0, 1, 2, 3}, ""};
  const auto model = [](const auto&, const auto&, float* z) {
    const float row[] = {600, 600, 600, 300, 0, 0};
    std::copy_n(row, 6, z);
  };
  for (const int64_t top_k : {0, 2}) {
    ToyDecoding decoding({{4, 3}}, 6, model);
    const auto found = sample_translations(decoding, search_batch(test::sentences({{4, 3}}), {0}), vocabulary,
                                           draws(20, 1, top_k))[0];
    for (const auto& one : found)
      EXPECT_TRUE(one.tokens.empty()) << "the others have e^-300 of the end token";
  }
}

// It was the most probable of the others each time.
TEST(TokenSampling, WhatForbiddenTokensLeaveIsStillDrawn) {
  const data::Vocabulary vocabulary{6, {0, 1, 2, 3}, ""};
  const auto model = [](const auto&, const auto& prefix, float* z) {
    const float first[] = {600, 600, 600, 0, 1, 1}, later[] = {0, 0, 0, 900, 0, 0};
    std::copy_n(prefix.size() == 1 ? first : later, 6, z);
  };
  ToyDecoding decoding({{4, 3}}, 6, model);
  const auto found =
      sample_translations(decoding, search_batch(test::sentences({{4, 3}}), {0}), vocabulary, draws(1000))[0];
  std::map<int32_t, int> counts;
  for (const auto& one : found) ++counts[one.tokens.empty() ? 3 : one.tokens[0]];
  const double e = std::exp(1.0);
  for (const int32_t token : {4, 5}) EXPECT_NEAR(counts[token], 1000 * e / (1 + 2 * e), 75);
  EXPECT_NEAR(counts[3], 1000 / (1 + 2 * e), 60);
}

TEST(TokenSampling, LogitsThatAreNotFiniteNameTheSentence) {
  const auto model = [](const auto&, const auto&, float* z) {
    std::fill(z, z + 5, 0.0F);
    z[1] = std::numeric_limits<float>::quiet_NaN();
  };
  try {
    sample({{1, 2}}, {77}, 5, model, draws(2));
    ADD_FAILURE();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sentence 77, after 0 tokens"));
  }
}

}  // namespace
}  // namespace smoothlab::eval
