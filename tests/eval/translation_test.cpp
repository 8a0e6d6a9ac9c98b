#include "eval/translation.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "eval/toy_translator.h"

namespace smoothlab::eval {
namespace {

TEST(Translation, IsInOrderAndTheSameForAnyBatches) {
  const int64_t classes = 20;
  test::ToyTranslator network(classes, test::hashed_model(6, classes, 2, 1));
  const auto sources = test::many_sentences(60);
  const auto ids = test::ids_of(sources);
  const auto solo = cluster::make_solo_communicator();
  TranslationOptions options;
  options.beam.n = 2;
  for (const bool sampled : {false, true}) {
    if (sampled) options.sampling.emplace();
    options.batches = {1, 1};
    const auto one_by_one = translate(network, sources, ids, test::toy_vocabulary(classes), options, *solo);
    ASSERT_EQ(one_by_one.size(), 60U);
    for (const BatchLimits limits : {BatchLimits{40, 7}, BatchLimits{}}) {
      options.batches = limits;
      options.threads = 2;
      std::vector<int64_t> told;
      options.progress = [&](int64_t done, int64_t all) {
        told.push_back(done);
        EXPECT_EQ(all, 60);
      };
      EXPECT_TRUE(test::same(
          one_by_one, translate(network, sources, ids, test::toy_vocabulary(classes), options, *solo)));
      EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
      EXPECT_EQ(told.back(), 60);
      options.progress = nullptr;
    }
  }
}

/// A small Transformer, as it is initialised, over 300 tokens.
std::unique_ptr<models::Network> small_transformer(const std::string& form) {
  models::NetworkOptions options;
  options.name = "transformer_tiny";
  options.form = form;
  options.width = 32;
  options.heads = 2;
  options.feed_forward = 48;
  options.classes = options.source_classes = 300;
  options.joint_vocabulary = true;
  return models::make_network(options);
}

double log_probability_by_forward(models::Network& network, std::vector<int32_t> source,
                                  const Hypothesis& one, double temperature) {
  const std::vector<int64_t> from(source.begin(), source.end());
  std::vector<int64_t> to = {2};
  to.insert(to.end(), one.tokens.begin(), one.tokens.end());
  const auto length = [](const std::vector<int64_t>& tokens) {
    return at::tensor(std::vector<int64_t>{0, static_cast<int64_t>(tokens.size())}, at::kLong);
  };
  const at::Tensor logits =
      network.forward({at::tensor(from, at::kLong), length(from), at::tensor(to, at::kLong), length(to)}, {})
          .logits.detach();
  to.erase(to.begin());
  to.push_back(3);
  return at::log_softmax(logits.to(at::kDouble) / temperature, 1)
      .gather(1, at::tensor(to, at::kLong).unsqueeze(1))
      .sum()
      .item<double>();
}

TEST(Translation, OfATransformerHasTheProbabilitiesOfItsForwardPassInAnyBatch) {
  const data::Vocabulary vocabulary{300, {0, 1, 2, 3}, ""};
  std::vector<std::vector<int32_t>> each;
  for (int32_t i = 0; i < 12; ++i) {
    each.emplace_back(static_cast<size_t>(1 + i % 5), 4 + 20 * i);
    each.back().push_back(3);
  }
  const auto sources = test::sentences(each);
  const auto ids = test::ids_of(sources);
  const auto solo = cluster::make_solo_communicator();
  for (const char* form : {"paper-2017", "t2t"})
    for (const bool sampled : {false, true}) {
      const auto network = small_transformer(form);
      auto& translator = dynamic_cast<models::TranslationNetwork&>(*network);
      TranslationOptions options;
      options.beam.n = 3;
      options.beam.longest_extra = 6;
      options.beam.temperature = 0.7;
      if (sampled) {
        options.sampling.emplace();
        static_cast<SearchOptions&>(*options.sampling) = options.beam;
      }
      const auto found = translate(translator, sources, ids, vocabulary, options, *solo);
      options.batches = {7, 2};
      EXPECT_TRUE(test::same(found, translate(translator, sources, ids, vocabulary, options, *solo)));
      for (size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].size(), 3U);
        for (const Hypothesis& one : found[i])
          EXPECT_NEAR(one.log_probability, log_probability_by_forward(*network, each[i], one, 0.7), 2e-4)
              << form << ' ' << i;
      }
    }
}

TEST(Translation, OfNothingIsNothing) {
  test::ToyTranslator network(5, test::hashed_model(6, 5, 2, 1));
  const auto solo = cluster::make_solo_communicator();
  EXPECT_TRUE(translate(network, {}, {}, test::toy_vocabulary(5), {}, *solo).empty());
}

}  // namespace
}  // namespace smoothlab::eval
