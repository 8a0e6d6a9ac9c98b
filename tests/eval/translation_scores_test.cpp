#include "eval/translation_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cluster/error.h"
#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

OwnedCorpus readme() {
  return {{{"The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."}},
          {{"The dog bit the man.", "It was not unexpected.", "The man bit him first."},
           {"The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."}}};
}

ScoringOptions both() {
  ScoringOptions options;
  options.bleu = BleuOptions();
  options.chrf = ChrfOptions();
  return options;
}

// sacrebleu r1 r2 -i h -m bleu chrf --confidence -w 6 -f text, of sacreBLEU 2.6.0, but for the version.
TEST(TranslationScoresTest, TextOfOneSystemIsSacreBleus) {
  ScoringOptions options = both();
  options.resamples = 1000;
  const OwnedCorpus text = readme();
  const std::string version = signature_version();
  EXPECT_EQ(version.rfind("smoothlab-", 0), 0U);
  EXPECT_EQ(
      to_text(score_translations(text.view(), options), {6, false}),
      "  BLEU|nrefs:2|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:" + version +
          " = 48.530827 (μ = 46.959748 ± 46.754997) 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len "
          "= 17 ref_len = 18)\n"
          "chrF2|nrefs:2|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" +
          version + " = 59.727518 (μ = 60.346875 ± 32.326823)\n");
  EXPECT_EQ(to_text(score_translations(text.view(), both()), {2, true}), "48.53\n59.73\n");
}

TEST(TranslationScoresTest, SeveralSystemsAreATable) {
  OwnedCorpus text = readme();
  text.systems.push_back(text.references[0]);
  ScoringOptions options = both();
  options.resamples = 1000;
  const std::string table = to_text(score_translations(text.view(), options), {1, false});
  EXPECT_THAT(table, HasSubstr("baseline: system 0"));
  EXPECT_THAT(table, HasSubstr("48.5  47.0 ± 46.8"));
  EXPECT_THAT(table, HasSubstr("0.0010*"));
  EXPECT_THAT(table, HasSubstr("\nBLEU|nrefs:2|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|"));
}

TEST(TranslationScoresTest, JsonHasEverything) {
  const OwnedCorpus text = readme();
  ScoringOptions options = both();
  options.resamples = 1000;
  const auto json = to_json(score_translations(text.view(), options));
  EXPECT_EQ(json["segments"], 3);
  const auto& bleu = json["metrics"][0]["systems"][0];
  EXPECT_EQ(bleu["counts"], (std::vector<int>{14, 7, 5, 3}));
  EXPECT_EQ(bleu["totals"], (std::vector<int>{17, 14, 11, 8}));
  EXPECT_TRUE(bleu["p_value"].is_null());
  EXPECT_TRUE(bleu["mean"].is_number());
  EXPECT_EQ(json["metrics"][1]["name"], "chrF2");
}

TEST(TranslationScoresTest, OptionsOutOfRange) {
  ScoringOptions options = both();
  options.resamples = 1;
  const OwnedCorpus text = readme();
  EXPECT_THROW(score_translations(text.view(), options), UsageError);
}

// Lists of unequal length used to be read beyond their end.
TEST(TranslationScoresTest, ACorpusThatIsNotAsItSays) {
  const OwnedCorpus text = readme();
  const auto problem = [&](const auto& change) -> std::string {
    TranslatedCorpus corpus = text.view();
    change(corpus);
    try {
      score_translations(corpus, both());
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(problem([](TranslatedCorpus&) {}), "");
  EXPECT_THAT(problem([](TranslatedCorpus& corpus) { corpus.systems[0].pop_back(); }),
              HasSubstr("2 hypotheses and 3 references (system 0)"));
  EXPECT_THAT(problem([](TranslatedCorpus& corpus) { corpus.references[1].clear(); }),
              HasSubstr("without a reference (segment 2)"));
  EXPECT_THAT(problem([](TranslatedCorpus& corpus) { corpus.system_names.clear(); }),
              HasSubstr("1 systems and 0 names"));
}

}  // namespace
}  // namespace smoothlab::eval
