#include "eval/chrf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster/error.h"
#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

using Strings = std::vector<std::string>;

double score(const Strings& hypotheses, const Strings& references, const ChrfOptions& options) {
  return corpus_score<Chrf>(OwnedCorpus{{hypotheses}, {references}}, options);
}

ChrfOptions options_of(int beta, bool epsilon, bool white_space = false) {
  ChrfOptions options;
  options.beta = beta;
  options.epsilon_smoothing = epsilon;
  options.white_space = white_space;
  return options;
}

const char* const risk =
    "risk assessment must be made of those who are qualified and expertise in the sector - these are the "
    "scientists .";
const char* const risk_reference =
    "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the "
    "scientists .";

// Figures of sacreBLEU 2.6's own tests (test_chrf.py), to the digits that stand there.
TEST(ChrfTest, PublishedWithEpsilon) {
  const auto options = options_of(3, true);
  EXPECT_NEAR(score({"abcdefg"}, {"hijklmnop"}, options), 0, 1e-4);
  EXPECT_NEAR(score({"a"}, {"b"}, options), 0, 1e-4);
  EXPECT_NEAR(score({""}, {"reference"}, options), 0, 1e-4);
  EXPECT_NEAR(score({"aa"}, {"ab"}, options), 8.3333, 1e-4);
  EXPECT_NEAR(score({"a", "b"}, {"a", "c"}, options), 8.3333, 1e-4);
  EXPECT_NEAR(score({"a"}, {"a"}, options), 16.6667, 1e-4);
  EXPECT_NEAR(score({"a b c"}, {"a b c"}, options), 50, 1e-4);
  EXPECT_NEAR(score({"a b c"}, {"abc"}, options), 50, 1e-4);
  EXPECT_NEAR(score({std::string(" ") + risk}, {risk_reference}, options), 63.361730, 1e-4);
  EXPECT_NEAR(
      score({" Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. "},
            {"Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich."}, options),
      64.1302698, 1e-4);
  const std::string wall = "Niemand hat die Absicht, eine Mauer zu errichten";
  EXPECT_NEAR(score({wall}, {wall}, options), 100, 1e-4);
}

TEST(ChrfTest, PublishedWithEffectiveOrder) {
  const auto options = options_of(3, false);
  EXPECT_NEAR(score({"a"}, {"a"}, options), 100, 1e-4);
  EXPECT_NEAR(score({""}, {"reference"}, options), 0, 1e-4);
  EXPECT_NEAR(score({""}, {"c"}, options), 0, 1e-4);
  EXPECT_NEAR(score({"a b c"}, {"abc"}, options), 100, 1e-4);
  EXPECT_NEAR(score({"a", "b"}, {"a", "c"}, options), 50, 1e-4);
  EXPECT_NEAR(score({"aa"}, {"ab"}, options), 25, 1e-4);
}

TEST(ChrfTest, PublishedWithWhiteSpace) {
  const auto options = options_of(3, false, true);
  EXPECT_NEAR(
      score({"Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich."},
            {"Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich."}, options),
      67.3481606, 1e-4);
  EXPECT_NEAR(score({risk}, {risk_reference}, options), 65.2414427, 1e-4);
}

TEST(ChrfTest, PublishedSentences) {
  const auto options = options_of(2, true);
  EXPECT_NEAR(
      score({"Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře."},
            {"Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře."}, options),
      39.14078509, 1e-4);
  EXPECT_NEAR(score({"Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři."},
                    {"A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři."}, options),
              31.22557079, 1e-4);
  EXPECT_NEAR(
      score({"Lapali po dechu, jejich životy skončily dřív, než skutečně začaly."},
            {"Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli."},
            options),
      57.15704367, 1e-4);
}

TEST(ChrfTest, AgreesWithSacreBleuOnOddText) {
  const OwnedCorpus text = OwnedCorpus::of_reference();
  ASSERT_EQ(translation_reference()["chrf"].size(), 6U);
  for (const auto& wanted : translation_reference()["chrf"]) {
    ScoringOptions options;
    options.chrf = options_of(wanted["beta"], wanted["eps_smoothing"], wanted["whitespace"]);
    options.chrf->character_order = wanted["char_order"];
    options.chrf->word_order = wanted["word_order"];
    options.chrf->lowercase = wanted["lowercase"];
    options.each_segment = true;
    const auto scores = score_translations(text.view(), options).metrics[0];
    EXPECT_EQ(scores.name, wanted["name"]);
    EXPECT_EQ(scores.signature.substr(0, scores.signature.rfind('|')), wanted["signature"]);
    EXPECT_DOUBLE_EQ(scores.systems[0].score, wanted["score"]) << wanted["signature"];
    ASSERT_EQ(scores.segments[0].size(), wanted["sentences"].size());
    for (size_t i = 0; i < scores.segments[0].size(); ++i)
      EXPECT_DOUBLE_EQ(scores.segments[0][i].score, wanted["sentences"][i]) << wanted["signature"] << i;
  }
}

TEST(ChrfTest, OneSignOfPunctuationIsTakenOffAWord) {
  ChrfOptions options;
  options.word_order = 1;
  Chrf metric(options);
  std::vector<int32_t> counts(metric.statistics());
  // Words here: (hi ) [ x é ! no…; there: ( hi ) [ x é ! no…. A sign at the end goes first, and … is none of
  // ASCII.
  metric.count({"(hi) [x é ! no…"}, {"(hi ) [ x é ! no…"}, counts.data());
  EXPECT_EQ(std::vector<int32_t>(counts.end() - 3, counts.end()), (std::vector<int32_t>{7, 8, 6}));
}

TEST(ChrfTest, OptionsOutOfRange) {
  ChrfOptions options;
  options.character_order = 0;
  EXPECT_THROW(Chrf{options}, UsageError);
  options = {};
  options.beta = 0;
  EXPECT_THROW(Chrf{options}, UsageError);
}

}  // namespace
}  // namespace smoothlab::eval
