#include "data/small_grammar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

SmallSentence sentence(uint64_t sample) {
  return draw_sentence(AddressedRandom(1, Purpose::generated_data, 0, sample));
}

/// Σ p·(−ln p) over all ways that a translation can go on, by visiting them.
double entropy_of_all(const TargetWriter& writer, double probability) {
  double sum = 0;
  for (const auto& [word, chance] : writer.next()) {
    sum -= probability * chance * std::log(chance);
    TargetWriter after = writer;
    after.take(word);
    if (!after.ended()) sum += entropy_of_all(after, probability * chance);
  }
  return sum;
}

TEST(SmallGrammar, EntropyIsThatOfAllTranslations) {
  int visited = 0;
  for (uint64_t sample = 0; sample < 300; ++sample) {
    const SmallSentence one = sentence(sample);
    if (one.slots.size() > 11) continue;  // of long ones there are too many to visit
    EXPECT_NEAR(entropy_of_all(TargetWriter(one), 1), target_entropy(one), 1e-9) << sample;
    ++visited;
  }
  EXPECT_GT(visited, 100);
}

TEST(SmallGrammar, ChancesSumToOneAndAreOfDifferentWords) {
  for (uint64_t sample = 0; sample < 500; ++sample) {
    const SmallSentence one = sentence(sample);
    for (const bool last : {false, true}) {
      TargetWriter writer(one);
      while (!writer.ended()) {
        const auto next = writer.next();
        double sum = 0;
        std::set<int32_t> words;
        for (const auto& [word, chance] : next) {
          EXPECT_GT(chance, 0);
          sum += chance;
          words.insert(word);
        }
        EXPECT_NEAR(sum, 1, 1e-12);
        EXPECT_EQ(words.size(), next.size());
        writer.take(last ? next.back().word : next.front().word);
      }
    }
  }
}

TEST(SmallGrammar, TheVerbAgreesWithASubjectFarAway) {
  const SmallLexicon& lexicon = SmallLexicon::instance();
  std::set<std::string> endings;
  size_t farthest = 0;
  for (uint64_t sample = 0; sample < 500; ++sample) {
    const SmallSentence one = sentence(sample);
    for (size_t i = 0; i < one.slots.size(); ++i) {
      const TargetSlot& slot = one.slots[i];
      if (slot.kind != WordKind::verb) continue;
      ASSERT_GE(slot.agrees_with, 0);
      farthest = std::max(farthest, i - static_cast<size_t>(slot.agrees_with));
      for (int gender = 0; gender < SmallLexicon::genders; ++gender) {
        const int32_t form = lexicon.synonyms(slot.kind, slot.lemma, gender)[0].word;
        const std::string word = lexicon.target_words().decode(std::vector<int32_t>{form});
        endings.insert(std::to_string(gender) + word.substr(word.size() - 2));
      }
    }
  }
  EXPECT_EQ(endings, (std::set<std::string>{"0at", "1ot", "2it"}));
  EXPECT_GE(farthest, 8U);
}

TEST(SmallGrammar, FrequenciesFallAsOneOverRank) {
  const SmallLexicon& lexicon = SmallLexicon::instance();
  for (const WordKind kind : {WordKind::noun, WordKind::verb, WordKind::adjective, WordKind::determiner}) {
    double sum = 0;
    for (int lemma = 0; lemma < lexicon.count(kind); ++lemma) sum += lexicon.frequency(kind, lemma);
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_NEAR(lexicon.frequency(kind, 0) / lexicon.frequency(kind, 3), 4, 1e-12);
  }
}

TEST(SmallGrammar, SynonymsOfANounDifferInGenderSomewhere) {
  const SmallLexicon& lexicon = SmallLexicon::instance();
  std::map<int, int> of_gender;
  int mixed = 0;
  for (int lemma = 0; lemma < lexicon.count(WordKind::noun); ++lemma) {
    std::set<int> genders;
    for (const auto& [word, chance] : lexicon.synonyms(WordKind::noun, lemma, 0)) {
      ++of_gender[lexicon.gender(word)];
      genders.insert(lexicon.gender(word));
    }
    mixed += genders.size() > 1 ? 1 : 0;
  }
  EXPECT_GE(mixed, 9);
  ASSERT_EQ(of_gender.size(), 3U);
  for (const auto& [gender, nouns] : of_gender) EXPECT_GE(nouns, 12) << gender;
}

TEST(SmallGrammar, RefusesWordsThatCannotFollow) {
  const SmallSentence one = sentence(0);
  TargetWriter writer(one);
  EXPECT_THROW(writer.take(SmallLexicon::instance().target_words().vocabulary().special.end), UsageError);
  EXPECT_THROW(writer.take(0), UsageError);
  while (!writer.ended()) writer.take(writer.next().front().word);
  EXPECT_THROW(writer.take(3), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
