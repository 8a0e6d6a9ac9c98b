#include "eval/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "cluster/error.h"
#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

using Strings = std::vector<std::string>;

BleuOptions raw(double floor, bool effective = true) {
  BleuOptions options;
  options.tokenization = Tokenization::none;
  options.smoothing = Smoothing::floor;
  options.smooth_value = floor;
  options.effective_order = effective;
  return options;
}

BleuOptions with(Tokenization tokenization, Smoothing smoothing = Smoothing::exponential) {
  BleuOptions options;
  options.tokenization = tokenization;
  options.smoothing = smoothing;
  return options;
}

double score(const Strings& hypotheses, const std::vector<Strings>& references,
             const BleuOptions& options = {}) {
  return corpus_score<Bleu>(OwnedCorpus{{hypotheses}, references}, options);
}

// Figures of sacreBLEU 2.6's own tests (test_bleu.py), to the digits that stand there.
const Strings readme = {"The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."};
const std::vector<Strings> readme_references = {
    {"The dog bit the man.", "It was not unexpected.", "The man bit him first."},
    {"The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."}};

TEST(BleuTest, PublishedCorpora) {
  EXPECT_NEAR(score(readme, readme_references), 48.530827, 1e-6);
  EXPECT_EQ(score({"", "", ""}, readme_references), 0);
  EXPECT_NEAR(score(readme, readme_references, with(Tokenization::none)), 49.1919566, 1e-6);
  EXPECT_NEAR(score(readme, readme_references, with(Tokenization::intl)), 43.91623493, 1e-6);
  EXPECT_NEAR(score(readme, readme_references, with(Tokenization::v13a, Smoothing::none)), 48.530827, 1e-6);
}

TEST(BleuTest, PublishedRawText) {
  EXPECT_EQ(score({"this is a test", "another test"}, {{"ref1", "ref2"}}, raw(0.01)), 0);
  EXPECT_NEAR(score({"this is a test"}, {{"this is a test"}}, raw(0.01)), 100, 1e-6);
  EXPECT_NEAR(score({"this is a fest"}, {{"this is a test"}}, raw(0.01)), 22.3606797749979, 1e-6);
  EXPECT_NEAR(score({"test"}, {{"a test"}}, raw(0.01)), 36.78794411714425, 1e-6);
  EXPECT_NEAR(score({"a test"}, {{"a test"}}, raw(0.01)), 100, 1e-6);
  EXPECT_NEAR(score({"a little test"}, {{"a test"}}, raw(0.01)), 3.218297948685433, 1e-6);
  const Strings characters = {"am I am a character sequence"};
  const Strings symbols = {"I am a symbol string sequence a a"};
  EXPECT_EQ(score(characters, {symbols}, raw(0)), 0);
  EXPECT_NEAR(score(characters, {symbols}, raw(0.1)), 15.55722182, 1e-6);
}

TEST(BleuTest, PublishedStatistics) {
  Bleu metric(raw(0.01));
  const OwnedCorpus text{{{"am I am a character sequence"}}, {{"I am a symbol string sequence a a"}}};
  EXPECT_EQ(count_corpus(text.view(), metric).counts, (std::vector<int32_t>{6, 8, 4, 2, 1, 0, 6, 5, 4, 3}));
  BleuOptions options;
  options.smoothing = Smoothing::none;
  EXPECT_NEAR(bleu_score({11, 11, {9, 7, 5, 3}, {10, 8, 6, 4}}, options).score, 83.75922397, 1e-6);
}

TEST(BleuTest, PublishedDegenerateStatistics) {
  struct Case {
    BleuStatistics statistics;
    double floor;
  };
  for (const Case& one : std::vector<Case>{{{0, 1, {0, 0, 0, 0}, {4, 4, 2, 1}}, 0},
                                           {{14, 10, {0, 0, 0, 0}, {10, 11, 12, 0}}, 0},
                                           {{0, 0, {0, 0, 0, 0}, {0, 0, 0, 0}}, 0},
                                           {{6, 6, {6, 5, 4, 0}, {6, 5, 4, 3}}, 0},
                                           {{0, 0, {0, 0, 0, 0}, {0, 0, 0, 0}}, 0.1},
                                           {{1, 5, {0, 0, 0, 0}, {0, 0, 0, 0}}, 0.01}})
    EXPECT_EQ(bleu_score(one.statistics, raw(one.floor, false)).score, 0);
}

TEST(BleuTest, PublishedOrders) {
  const std::vector<double> wanted = {77.65, 60.50, 53.93, 48.53, 46.14, 43.28};
  for (size_t order = 1; order <= wanted.size(); ++order) {
    BleuOptions options;
    options.order = order;
    EXPECT_NEAR(score(readme, readme_references, options), wanted[order - 1], 0.005) << order;
  }
}

// test_sentence_bleu.py
TEST(BleuTest, PublishedSentences) {
  const Strings system = {"Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;"};
  const Strings reference = {"producţia de zahăr brut se exprimă în zahăr alb;"};
  struct Case {
    Tokenization tokenization;
    Smoothing smoothing;
    std::optional<double> value;
    bool lowercase;
    double score;
  };
  for (const Case& one :
       std::vector<Case>{{Tokenization::v13a, Smoothing::exponential, {}, false, 8.493},
                         {Tokenization::v13a, Smoothing::none, {}, false, 0},
                         {Tokenization::v13a, Smoothing::floor, {}, false, 4.51688},
                         {Tokenization::v13a, Smoothing::floor, 0.1, false, 4.51688},
                         {Tokenization::v13a, Smoothing::floor, 0.5, false, 10.10},
                         {Tokenization::v13a, Smoothing::add_k, {}, false, 14.882},
                         {Tokenization::v13a, Smoothing::add_k, 1, false, 14.882},
                         {Tokenization::v13a, Smoothing::add_k, 2, false, 21.389},
                         {Tokenization::none, Smoothing::exponential, {}, false, 7.347},
                         {Tokenization::intl, Smoothing::exponential, {}, false, 8.493},
                         {Tokenization::characters, Smoothing::exponential, {}, false, 40.8759},
                         {Tokenization::characters, Smoothing::exponential, {}, true, 42.0267}}) {
    BleuOptions options = with(one.tokenization, one.smoothing);
    options.smooth_value = one.value;
    options.lowercase = one.lowercase;
    options.effective_order = true;
    EXPECT_NEAR(score(system, {reference}, options), one.score, 1e-3);
    EXPECT_EQ(score({"this is a cat"}, {{"okay thanks"}}, options) > 0,
              one.tokenization == Tokenization::characters);
  }
}

TEST(BleuTest, AgreesWithSacreBleuOnOddText) {
  const auto& all = translation_reference();
  ASSERT_EQ(all["bleu"].size(), 50U);
  for (const auto& wanted : all["bleu"]) {
    BleuOptions options;
    options.tokenization = tokenization(wanted["tokenize"], "test");
    options.smoothing = smoothing(wanted["smooth"], "test");
    if (!wanted["value"].is_null()) options.smooth_value = wanted["value"].get<double>();
    options.lowercase = wanted["lowercase"];
    options.effective_order = wanted["effective"];
    const OwnedCorpus text = OwnedCorpus::of_reference();
    TranslatedCorpus corpus = text.view();
    for (size_t i = 0; i < corpus.references.size(); ++i)
      if (wanted["references"] == "one" || (wanted["references"] == "some" && i % 3 == 0))
        corpus.references[i].pop_back();
    Bleu metric(options);
    const auto sums = count_corpus(corpus, metric).sums(0);
    EXPECT_DOUBLE_EQ(metric.score(sums.data(), Arithmetic::exact), wanted["score"]) << wanted;
    EXPECT_EQ(metric.details(sums.data()), wanted["verbose"]) << wanted;
    const auto details = metric.details_json(sums.data());
    for (const char* name : {"precisions", "bp", "hyp_len", "ref_len"})
      EXPECT_EQ(details[name], wanted[name]) << name << wanted;
    EXPECT_EQ("nrefs:" + corpus.reference_count() + "|" + metric.settings(), wanted["signature"]);
  }
}

TEST(BleuTest, AgreesWithSacreBleuOnSingleSegments) {
  const auto& wanted = translation_reference()["bleu_sentences"];
  const OwnedCorpus text = OwnedCorpus::of_reference();
  size_t at = 0;
  for (const auto smoothing : {Smoothing::exponential, Smoothing::add_k}) {
    ScoringOptions options;
    options.bleu = with(Tokenization::v13a, smoothing);
    options.bleu->effective_order = options.each_segment = true;
    const auto scores = score_translations(text.view(), options);
    for (const auto& segment : scores.metrics[0].segments[0])
      EXPECT_DOUBLE_EQ(segment.score, wanted[at++]) << at;
  }
  EXPECT_EQ(at, wanted.size());
}

TEST(BleuTest, TheClosestReferenceLengthIsTheShorterOfTwo) {
  Bleu metric{BleuOptions()};
  std::vector<int32_t> counts(metric.statistics());
  metric.count({"a b c"}, {"a b c d", "a b", "a b c d e"}, counts.data());
  EXPECT_EQ(counts[1], 2);
  metric.count({"a b c"}, {"a b c d e f", "a", ""}, counts.data());
  EXPECT_EQ(counts[1], 1);
  // An empty reference is one of length 0, and may be the closest.
  metric.count({"a"}, {"a b c d", ""}, counts.data());
  EXPECT_EQ(counts[1], 0);
  EXPECT_EQ(counts[2], 1);
}

TEST(BleuTest, BrevityPenaltyInClosedForm) {
  for (const double ours : {1.0, 3.0, 7.0, 8.0, 9.0}) {
    const BleuScore result = bleu_score({ours, 8, {ours, 0, 0, 0}, {ours, 0, 0, 0}}, raw(0.1));
    const double penalty = ours < 8 ? std::exp(1 - 8 / ours) : 1;
    EXPECT_DOUBLE_EQ(result.brevity_penalty, penalty);
    EXPECT_NEAR(result.score, 100 * penalty, 1e-9);
  }
}

TEST(BleuTest, OptionsOutOfRange) {
  BleuOptions options;
  options.order = 0;
  EXPECT_THROW(Bleu{options}, UsageError);
  options.order = 4;
  options.smooth_value = -1;
  EXPECT_THROW(Bleu{options}, UsageError);
  options.smooth_value = std::nan("");
  EXPECT_THROW(Bleu{options}, UsageError);
  EXPECT_THROW(smoothing("exb", "test"), UsageError);
}

TEST(BleuTest, AHundredTokenizedPeriodsAreTold) {
  std::vector<std::string_view> segments(99, "a b .");
  segments.emplace_back("a b.");
  EXPECT_FALSE(looks_tokenized(segments));
  segments.emplace_back("c .");
  EXPECT_TRUE(looks_tokenized(segments));
}

}  // namespace
}  // namespace smoothlab::eval
