#include "eval/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "cluster/error.h"
#include "eval/next_tokens.h"
#include "eval/toy_decoding.h"

namespace smoothlab::eval {
namespace {

using test::hashed_model;
using test::ToyDecoding;
using test::ToyModel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Sources = std::vector<std::vector<int32_t>>;
using Found = std::vector<std::vector<Hypothesis>>;

BeamOptions beam_of(int64_t beam, int64_t n, double alpha, int64_t extra) {
  BeamOptions options;
  options.beam = beam;
  options.n = n;
  options.length_penalty = alpha;
  options.longest_extra = extra;
  return options;
}

std::vector<int64_t> numbers(size_t count, int64_t first = 0) {
  std::vector<int64_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = first + static_cast<int64_t>(i);
  return ids;
}

Found search(const Sources& sources, int64_t classes, const ToyModel& model, const BeamOptions& options,
             int threads = 1) {
  ToyDecoding decoding(sources, classes, model);
  return beam_search(decoding, search_batch(test::sentences(sources), numbers(sources.size())),
                     test::toy_vocabulary(classes), options, threads);
}

void expect_same(const std::vector<Hypothesis>& a, const std::vector<Hypothesis>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].tokens, b[i].tokens);
    EXPECT_EQ(a[i].log_probability, b[i].log_probability);
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].cut, b[i].cut);
  }
}

/// Every output of at most `longest` tokens, with its log P in double.
class Enumeration {
 public:
  Enumeration(int64_t classes, const ToyModel& model, double temperature, double alpha, int64_t longest)
      : classes_(classes), model_(model), temperature_(temperature), alpha_(alpha), longest_(longest) {}
  std::vector<Hypothesis> all(const std::vector<int32_t>& source) {
    found_.clear();
    std::vector<int32_t> prefix = {static_cast<int32_t>(classes_ - 1)};
    grow(source, prefix, 0);
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    return found_;
  }

 private:
  void grow(const std::vector<int32_t>& source, std::vector<int32_t>& prefix, double log_probability) {
    std::vector<float> z(static_cast<size_t>(classes_));
    model_(source, prefix, z.data());
    double sum = 0;
    for (const float v : z) sum += std::exp(static_cast<double>(v) / temperature_);
    const auto next = [&](size_t k) {
      return log_probability + static_cast<double>(z[k]) / temperature_ - std::log(sum);
    };
    const double ended = next(z.size() - 1);
    const auto length = static_cast<double>(prefix.size());  // begin for end
    found_.push_back(
        {{prefix.begin() + 1, prefix.end()}, ended, ended / std::pow((5 + length) / 6, alpha_), false});
    if (static_cast<int64_t>(prefix.size()) > longest_) return;
    for (size_t k = 0; k + 1 < z.size(); ++k) {
      prefix.push_back(static_cast<int32_t>(k));
      grow(source, prefix, next(k));
      prefix.pop_back();
    }
  }
  int64_t classes_;
  ToyModel model_;
  double temperature_, alpha_;
  int64_t longest_;
  std::vector<Hypothesis> found_;
};

TEST(BeamSearch, HugeBeamFindsWhatEnumerationFinds) {
  for (uint64_t seed = 1; seed <= 25; ++seed)
    for (const double alpha : {0.0, 0.6, 2.0})
      for (const double temperature : {0.5, 1.0, 3.0}) {
        const auto model = hashed_model(seed, 4, 1.5);
        BeamOptions options = beam_of(200, 10, alpha, 3);
        options.temperature = temperature;
        const auto found = search({{7, 3}}, 4, model, options)[0];
        const auto truth = Enumeration(4, model, temperature, alpha, 1 + 3).all({7, 3});
        ASSERT_EQ(found.size(), 10U);
        for (size_t i = 0; i < found.size(); ++i) {
          EXPECT_EQ(found[i].tokens, truth[i].tokens)
              << seed << ' ' << alpha << ' ' << temperature << ' ' << i;
          EXPECT_NEAR(found[i].log_probability, truth[i].log_probability, 1e-5);
          EXPECT_NEAR(found[i].score, truth[i].score, 1e-5);
          EXPECT_EQ(found[i].cut, found[i].tokens.size() == 4);
        }
      }
}

/// The search as it is described: all continuations are sorted, the first 2·beam taken, and nothing stops
/// before the longest output. For beams above 1.
std::vector<Hypothesis> plain_beam(const std::vector<int32_t>& source, int64_t classes, const ToyModel& model,
                                   const BeamOptions& options) {
  const auto end = static_cast<int32_t>(classes - 1);
  const size_t longest = static_cast<size_t>(most_tokens(options, static_cast<int64_t>(source.size()) - 1));
  std::vector<Hypothesis> live(1), finished;
  for (size_t length = 0; length <= longest; ++length) {
    std::vector<Hypothesis> all;
    for (const Hypothesis& before : live) {
      std::vector<int32_t> prefix = {end};
      prefix.insert(prefix.end(), before.tokens.begin(), before.tokens.end());
      std::vector<float> z(static_cast<size_t>(classes));
      model(source, prefix, z.data());
      FloatLanes room(classes);
      const NextTokens next = next_tokens(z.data(), classes, options.temperature, room.data());
      for (int32_t k = 0; k < classes; ++k) {
        if (k == end ? static_cast<int64_t>(length) < options.shortest : length == longest) continue;
        Hypothesis one = {before.tokens, before.log_probability + next.log_probability(z[k]), 0, false};
        one.tokens.push_back(k);
        all.push_back(std::move(one));
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.log_probability > b.log_probability; });
    live.clear();
    all.resize(std::min(all.size(), static_cast<size_t>(2 * options.beam)));
    for (Hypothesis& one : all) {
      if (one.tokens.back() != end) {
        if (static_cast<int64_t>(live.size()) < options.beam) live.push_back(std::move(one));
        continue;
      }
      one.tokens.pop_back();
      one.score =
          one.log_probability / std::pow((5 + static_cast<double>(length + 1)) / 6, options.length_penalty);
      one.cut = length == longest;
      finished.push_back(std::move(one));
    }
  }
  std::stable_sort(finished.begin(), finished.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  finished.resize(std::min(finished.size(), static_cast<size_t>(options.n)));
  return finished;
}

TEST(BeamSearch, FindsWhatAPlainSearchFinds) {
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    const AddressedRandom random(4, Purpose::generated_data, 0, seed);
    const auto classes = static_cast<int64_t>(3 + random.below(12, 0));
    const auto beam = static_cast<int64_t>(2 + random.below(9, 1));
    const auto n = static_cast<int64_t>(1 + random.below(static_cast<uint64_t>(beam), 2));
    BeamOptions options = beam_of(beam, n, 2 * random.uniform(3), static_cast<int64_t>(random.below(9, 4)));
    options.shortest = static_cast<int64_t>(random.below(5, 5));
    options.temperature = 0.3 + 2 * random.uniform(6);
    const auto model = hashed_model(seed, classes, 0.5 + 2 * random.uniform(7), 4 * random.uniform(8) - 2);
    const std::vector<int32_t> source(1 + random.below(4, 9), static_cast<int32_t>(seed));
    SCOPED_TRACE(seed);
    expect_same(search({source}, classes, model, options)[0], plain_beam(source, classes, model, options));
  }
}

TEST(BeamSearch, OfOneIsGreedy) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const auto model = hashed_model(seed, 12, 2, 1);
    const std::vector<int32_t> source = {1, 2, static_cast<int32_t>(seed)};
    std::vector<int32_t> prefix = {11};
    std::vector<float> z(12);
    bool cut = false;
    for (;;) {
      model(source, prefix, z.data());
      const auto best = static_cast<int32_t>(std::max_element(z.begin(), z.end()) - z.begin());
      cut = prefix.size() == 1 + 2 + 5;
      if (best == 11 || cut) break;
      prefix.push_back(best);
    }
    const auto found = search({source}, 12, model, beam_of(1, 1, 0.6, 5))[0];
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].tokens, std::vector<int32_t>(prefix.begin() + 1, prefix.end()));
    EXPECT_EQ(found[0].cut, cut);
  }
}

TEST(BeamSearch, StoppingEarlyChangesNothing) {
  int64_t steps = 0, steps_to_the_end = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    const AddressedRandom random(9, Purpose::generated_data, 0, seed);
    const auto classes = static_cast<int64_t>(3 + random.below(6, 0));
    const auto beam = static_cast<int64_t>(1 + random.below(5, 1));
    const auto n = static_cast<int64_t>(1 + random.below(static_cast<uint64_t>(beam), 2));
    const auto model = hashed_model(seed, classes, 0.5 + 2 * random.uniform(3), 4 * random.uniform(4) - 1);
    BeamOptions options = beam_of(beam, n, 1.5 * random.uniform(5), 8);
    options.shortest = static_cast<int64_t>(random.below(3, 6));
    options.temperature = 0.5 + random.uniform(7);
    const Sources sources = {{1, 2}, {3, 2}, {1, 4, 2}};
    std::array<Found, 2> found;
    for (const bool early : {true, false}) {
      options.early_stop = early;
      ToyDecoding decoding(sources, classes, model);
      found[early ? 0 : 1] = beam_search(decoding, search_batch(test::sentences(sources), {1, 2, 3}),
                                         test::toy_vocabulary(classes), options);
      if (beam > 1) (early ? steps : steps_to_the_end) += decoding.steps;
    }
    for (size_t i = 0; i < sources.size(); ++i) expect_same(found[0][i], found[1][i]);
  }
  EXPECT_LT(steps, steps_to_the_end * 3 / 4);
}

TEST(BeamSearch, SentenceIsTheSameInAnyBatchAndWithAnyThreads) {
  const int64_t classes = 6000;  // enough for threads to be used
  const auto model = hashed_model(3, classes, 1.5, 5);
  Sources sources;
  for (int32_t i = 0; i < 14; ++i) sources.emplace_back(static_cast<size_t>(1 + i % 4), i);
  const BeamOptions options = beam_of(4, 3, 0.6, 4);
  const auto together = search(sources, classes, model, options, 3);
  for (size_t i = 0; i < sources.size(); ++i)
    expect_same(together[i], search({sources[i]}, classes, model, options)[0]);
  const auto backwards = search({sources.rbegin(), sources.rend()}, classes, model, options, 2);
  for (size_t i = 0; i < sources.size(); ++i) expect_same(together[i], backwards[sources.size() - 1 - i]);
}

TEST(BeamSearch, GivesTheBestFirstAndEachOnce) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const auto found = search({{1, 2}}, 9, hashed_model(seed, 9, 2, 1), beam_of(6, 6, 0.6, 6))[0];
    ASSERT_EQ(found.size(), 6U);
    std::set<std::vector<int32_t>> distinct;
    for (size_t i = 0; i < found.size(); ++i) {
      distinct.insert(found[i].tokens);
      if (i > 0) {
        EXPECT_LE(found[i].score, found[i - 1].score);
      }
      const double penalty = std::pow((5.0 + static_cast<double>(found[i].tokens.size()) + 1) / 6, 0.6);
      EXPECT_DOUBLE_EQ(found[i].score, found[i].log_probability / penalty);
    }
    EXPECT_EQ(distinct.size(), 6U);
  }
}

// All tables of equal logits: every output of a length ties.
TEST(BeamSearch, TiesGoToTheLowerLaneAndToken) {
  const auto model = test::markov_model(std::vector<std::vector<float>>(4, {0, 0, 0, 0}));
  BeamOptions options = beam_of(3, 3, 0, 2);
  options.shortest = 2;
  const auto found = search({{9}}, 4, model, options)[0];
  ASSERT_EQ(found.size(), 3U);
  EXPECT_THAT(found[0].tokens, ElementsAre(0, 0));
  EXPECT_THAT(found[1].tokens, ElementsAre(0, 1));
  EXPECT_THAT(found[2].tokens, ElementsAre(0, 2));
}

TEST(BeamSearch, TemperatureGoesToGreedyAndToEvenOdds) {
  const auto model = hashed_model(5, 10, 2, 1);
  BeamOptions options = beam_of(4, 1, 0, 6);
  options.temperature = 1e-3;
  const auto cold = search({{1, 2}}, 10, model, options)[0][0];
  EXPECT_EQ(cold.tokens, search({{1, 2}}, 10, model, beam_of(1, 1, 0, 6))[0][0].tokens);
  EXPECT_NEAR(cold.log_probability, 0, 1e-9);
  options.temperature = 1e3;
  const auto hot = search({{1, 2}}, 10, model, options)[0][0];
  EXPECT_THAT(hot.tokens, IsEmpty()) << "ending at once is the most probable where all tokens are as much so";
  EXPECT_NEAR(hot.log_probability, -std::log(10), 1e-2);
}

TEST(BeamSearch, TemperatureIsInTheSearchNotAfterIt) {
  const auto model = hashed_model(8, 8, 1.2, 1);
  const auto scaled = [&](const auto& source, const auto& prefix, float* z) {
    model(source, prefix, z);
    for (int k = 0; k < 8; ++k) z[k] /= 2.0F;
  };
  BeamOptions options = beam_of(4, 4, 0.6, 6);
  const auto by_logits = search({{1, 2}}, 8, scaled, options)[0];
  options.temperature = 2;
  expect_same(search({{1, 2}}, 8, model, options)[0], by_logits);
}

TEST(BeamSearch, OutputMayBeEmpty) {
  const auto found = search({{1}, {1, 2, 3}}, 5, hashed_model(1, 5, 0.1, 30), beam_of(4, 1, 0.6, 50));
  for (const auto& one : found) {
    ASSERT_EQ(one.size(), 1U);
    EXPECT_THAT(one[0].tokens, IsEmpty());
    EXPECT_FALSE(one[0].cut);
    EXPECT_EQ(one[0].score, one[0].log_probability) << "its penalty is that of length 1";
  }
}

TEST(BeamSearch, OutputEndsAtItsLongest) {
  for (const int64_t beam : {1, 4}) {
    const auto found = search({{1, 2, 3}, {1}}, 5, hashed_model(1, 5, 0.1, -30), beam_of(beam, 1, 0.6, 7));
    EXPECT_EQ(found[0][0].tokens.size(), 2U + 7U);
    EXPECT_EQ(found[1][0].tokens.size(), 7U);
    EXPECT_TRUE(found[0][0].cut);
    EXPECT_LT(found[0][0].log_probability, -30) << "the end token counts";
  }
}

TEST(BeamSearch, OutputHasAtLeastTheShortest) {
  BeamOptions options = beam_of(3, 2, 0.6, 7);
  options.shortest = 3;
  const auto found = search({{1, 2}}, 5, hashed_model(1, 5, 0.5, 10), options)[0];
  ASSERT_EQ(found.size(), 2U);
  for (const auto& one : found) EXPECT_EQ(one.tokens.size(), 3U);
}

// The shortest was silently overruled by the longest.
TEST(BeamSearch, LongestIsNoLessThanTheShortest) {
  BeamOptions options = beam_of(3, 1, 0.6, 0);
  options.shortest = 6;
  const auto found = search({{1, 2}}, 5, hashed_model(1, 5, 0.5, 10), options)[0];
  EXPECT_EQ(found[0].tokens.size(), 6U);
  EXPECT_TRUE(found[0].cut);
}

TEST(BeamSearch, NeedsAThread) {
  EXPECT_THROW(search({{1, 2}}, 5, hashed_model(1, 5, 0.5), beam_of(2, 1, 0.6, 3), 0), UsageError);
}

// With as many candidates as the beam is wide, one that ends would leave a place empty.
TEST(BeamSearch, EndedHypothesesDoNotStarveTheBeam) {
  ToyDecoding decoding({{1, 2, 3}}, 30, hashed_model(2, 30, 0.2, 3));
  BeamOptions options = beam_of(4, 4, 0.6, 5);
  options.early_stop = false;
  beam_search(decoding, search_batch(test::sentences({{1, 2, 3}}), {0}), test::toy_vocabulary(30), options);
  EXPECT_EQ(decoding.rows, 1 + 4 * (decoding.steps - 1)) << "four lanes from the second step on";
  EXPECT_EQ(decoding.steps, 2 + 5 + 1);
}

TEST(BeamSearch, FinishedSentencesLeaveTheBatch) {
  // The first sentence ends at once, the second never.
  const auto model = [](const std::vector<int32_t>& source, const std::vector<int32_t>&, float* z) {
    std::fill(z, z + 5, 0.0F);
    z[4] = source.size() == 1 ? 50.0F : -50.0F;
  };
  ToyDecoding decoding({{1}, {1, 2}}, 5, model);
  beam_search(decoding, search_batch(test::sentences({{1}, {1, 2}}), {0, 1}), test::toy_vocabulary(5),
              beam_of(1, 1, 0, 9));
  EXPECT_EQ(decoding.rows, 1 + decoding.steps);
}

TEST(BeamSearch, SpecialTokensAreNoOutput) {
  data::Vocabulary vocabulary{6, {0, 1, 2, 3}, ""};
  const auto model = [](const std::vector<int32_t>&, const std::vector<int32_t>& prefix, float* z) {
    const float first[] = {9, 8, 7, 0, 2, 1}, later[] = {9, 8, 7, 6, 0, 0};
    std::copy_n(prefix.size() == 1 ? first : later, 6, z);
  };
  ToyDecoding decoding({{4, 3}}, 6, model);
  const auto found = beam_search(decoding, search_batch(test::sentences({{4, 3}}), {0}), vocabulary,
                                 beam_of(1, 1, 0, 9))[0][0];
  EXPECT_THAT(found.tokens, ElementsAre(4));
  EXPECT_LT(found.log_probability, -7) << "they keep their probability";
}

TEST(BeamSearch, LogitsThatAreNotFiniteNameTheSentence) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const auto model = [bad](const std::vector<int32_t>& source, const std::vector<int32_t>& prefix,
                             float* z) {
      std::fill(z, z + 5, 0.0F);
      if (source.size() == 2 && prefix.size() == 3) z[1] = bad;
    };
    ToyDecoding decoding({{1}, {1, 2}}, 5, model);
    BeamOptions options = beam_of(2, 1, 0, 9);
    options.shortest = 5;
    try {
      beam_search(decoding, search_batch(test::sentences({{1}, {1, 2}}), {40, 41}), test::toy_vocabulary(5),
                  options);
      ADD_FAILURE();
    } catch (const RunError& error) {
      EXPECT_THAT(error.what(), HasSubstr("sentence 41, after 2 tokens"));
    }
  }
}

TEST(BeamSearch, RefusesWhatIsNoSearch) {
  BeamOptions options;
  EXPECT_NO_THROW(check(options));
  for (const double bad : {0.0, -1.0, 1e9, std::nan("")}) {
    options.temperature = bad;
    EXPECT_THROW(check(options), UsageError);
  }
  options = beam_of(4, 5, 0.6, 50);
  EXPECT_THROW(check(options), UsageError);
  options = beam_of(0, 0, 0.6, 50);
  EXPECT_THROW(check(options), UsageError);
  for (const double bad : {-0.1, std::nan("")}) EXPECT_THROW(check(beam_of(4, 1, bad, 50)), UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
