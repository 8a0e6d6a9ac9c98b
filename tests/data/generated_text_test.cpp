#include "data/generated_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

GeneratedTextOptions part(int64_t first, int64_t pairs, uint64_t seed = 1, uint32_t split = 0) {
  return {first, pairs, seed, split};
}

std::vector<int32_t> words(const Tokens& tokens) {
  return {tokens.begin(), tokens.end()};
}

TEST(GeneratedText, IsAFunctionOfTheOptions) {
  const GeneratedText text(part(0, 50));
  EXPECT_EQ(text.size(), 50);
  EXPECT_EQ(GeneratedText(part(0, 50)).fingerprint(), text.fingerprint());
  EXPECT_NE(GeneratedText(part(0, 50, 2)).fingerprint(), text.fingerprint());
  EXPECT_NE(GeneratedText(part(0, 50, 1, 1)).fingerprint(), text.fingerprint());
  EXPECT_NE(GeneratedText(part(0, 51)).fingerprint(), text.fingerprint());
}

TEST(GeneratedText, APairDoesNotDependOnThoseBeforeIt) {
  const GeneratedText whole(part(0, 60)), end(part(40, 20));
  for (int64_t pair = 0; pair < 20; ++pair) {
    EXPECT_EQ(words(end.source(pair)), words(whole.source(40 + pair)));
    EXPECT_EQ(words(end.target(pair)), words(whole.target(40 + pair)));
  }
}

// Draws of a split tell nothing of another's; only short sentences of frequent words come twice.
TEST(GeneratedText, SplitsShareNothingButChance) {
  const GeneratedText train(part(0, 2000)), test(part(0, 2000, 1, 1));
  std::set<std::pair<std::vector<int32_t>, std::vector<int32_t>>> seen;
  for (int64_t pair = 0; pair < train.size(); ++pair)
    seen.emplace(words(train.source(pair)), words(train.target(pair)));
  int64_t again = 0, same_place = 0;
  for (int64_t pair = 0; pair < test.size(); ++pair) {
    again += seen.count({words(test.source(pair)), words(test.target(pair))}) ? 1 : 0;
    same_place += words(test.source(pair)) == words(train.source(pair)) ? 1 : 0;
  }
  EXPECT_LT(again, 40);
  EXPECT_LT(same_place, 20);
}

TEST(GeneratedText, WordsGoRound) {
  const GeneratedText text(part(0, 200));
  const SmallLexicon& lexicon = SmallLexicon::instance();
  std::istringstream sources(text.source_text()), targets(text.target_text());
  std::string source, target;
  for (int64_t pair = 0; pair < text.size(); ++pair) {
    ASSERT_TRUE(std::getline(sources, source) && std::getline(targets, target));
    EXPECT_EQ(lexicon.source_words().encode(source), words(text.source(pair)));
    EXPECT_EQ(lexicon.target_words().encode(target), words(text.target(pair)));
    for (const int32_t word : text.source(pair)) EXPECT_GE(word, WordList::first_word);
    EXPECT_GE(text.target(pair).count, 3);
  }
  EXPECT_FALSE(std::getline(sources, source));
  EXPECT_LT(text.source_vocabulary().size, 120);
  EXPECT_LT(text.target_vocabulary().size, 400);
  EXPECT_NE(text.source_vocabulary().digest, text.target_vocabulary().digest);
}

// By the law of large numbers, the mean of −ln p of what was drawn is the entropy.
TEST(GeneratedText, EntropyIsTheEmpiricalOne) {
  const GeneratedText text(part(0, 20000, 3));
  const TextLimits limits = text.limits();
  EXPECT_GT(limits.entropy, 0.3);
  EXPECT_NEAR(limits.nll, limits.entropy, 0.006);
  int64_t rows = 0;
  for (int64_t pair = 0; pair < text.size(); ++pair) rows += text.target(pair).count + 1;
  EXPECT_EQ(limits.rows, rows);
  EXPECT_GT(limits.accuracy, 0.6);
  EXPECT_LT(limits.accuracy, 0.9);
}

// One source, translated 20,000 times with draws of other samples: the words at each prefix come as often as
// their chances say.
TEST(GeneratedText, ChancesAreThoseOfTheDraws) {
  const GeneratedText text(part(0, 20000, 4));
  std::map<std::string, std::map<int32_t, int64_t>> came;
  std::map<std::string, std::vector<WordChance>> chances;
  for (int64_t pair = 0; pair < text.size(); ++pair) {
    const auto next = text.next_words(pair, 0);
    std::string key;
    for (const auto& [word, chance] : next) key += std::to_string(word) + " ";
    chances[key] = next;
    ++came[key][text.target(pair).first[0]];
  }
  int compared = 0;
  for (const auto& [key, counts] : came) {
    double all = 0;
    for (const auto& [word, count] : counts) all += static_cast<double>(count);
    if (all < 300) continue;
    for (const auto& [word, chance] : chances[key]) {
      const auto found = counts.find(word);
      const double share = found == counts.end() ? 0 : static_cast<double>(found->second) / all;
      EXPECT_NEAR(share, chance, 5 * std::sqrt(chance * (1 - chance) / all) + 1e-12) << key;
      ++compared;
    }
  }
  EXPECT_GT(compared, 20);
}

// ECE in 15 bins of the predictor that knows the chances: nothing but noise.
TEST(GeneratedText, WhoKnowsTheChancesIsCalibrated) {
  const GeneratedText text(part(0, 5000, 5, 1));
  std::vector<double> confidence(15), right(15);
  double rows = 0;
  for (int64_t pair = 0; pair < text.size(); ++pair)
    for (int64_t position = 0; position <= text.target(pair).count; ++position) {
      const auto next = text.next_words(pair, position);
      const auto best = std::max_element(next.begin(), next.end(), [](const auto& a, const auto& b) {
        return a.probability < b.probability;
      });
      const int32_t came = position < text.target(pair).count ? text.target(pair).first[position]
                                                              : text.target_vocabulary().special.end;
      const auto bin = static_cast<size_t>(std::min(14.0, best->probability * 15));
      confidence[bin] += best->probability;
      right[bin] += came == best->word ? 1 : 0;
      ++rows;
    }
  double ece = 0;
  for (size_t bin = 0; bin < 15; ++bin) ece += std::abs(confidence[bin] - right[bin]) / rows;
  EXPECT_LT(ece, 0.008);
}

TEST(GeneratedText, SplitsOfATask) {
  TaskOptions task;
  task.data = "generated_text";
  task.train_samples = 100;
  task.validation = 30;
  task.test_samples = 20;
  task.data_seed = 9;
  const Task opened = open_task(task, 1);
  EXPECT_EQ(opened.name, "generated_text");
  EXPECT_EQ(opened.train->size(), 70);
  EXPECT_EQ(opened.validation->size(), 30);
  EXPECT_EQ(opened.test->size(), 20);
  EXPECT_EQ(opened.validation->fingerprint(), GeneratedText(part(70, 30, 9)).fingerprint());
  EXPECT_EQ(opened.test->fingerprint(), GeneratedText(part(0, 20, 9, 1)).fingerprint());
  ASSERT_NE(opened.train->vocabularies(), nullptr);
  EXPECT_FALSE(opened.train->vocabularies()->joint());
  // The run's seed is not the data's.
  EXPECT_EQ(open_task(task, 2).train->fingerprint(), opened.train->fingerprint());
  EXPECT_THROW(generated_text_options(task, "tests"), UsageError);
  task.validation = 100;
  EXPECT_THROW(open_task(task, 1), UsageError);
  EXPECT_THROW(GeneratedText(part(0, 0)), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
