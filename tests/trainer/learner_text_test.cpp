#include <gtest/gtest.h>

#include "cluster/error.h"
#include "trainer/text_learning.h"

namespace smoothlab::trainer {
namespace {

using Pairs = std::vector<std::pair<data::SmallPairs::Sentence, data::SmallPairs::Sentence>>;

/// Pairs of three tokens and four.
std::shared_ptr<const data::TextDataset> equal_targets() {
  Pairs pairs;
  for (int32_t i = 0; i < 24; ++i) {
    pairs.emplace_back(data::SmallPairs::Sentence{4 + i, 4, 5},
                       data::SmallPairs::Sentence{4 + i, 5, 6, 27 - i});
  }
  return test::text_of(pairs);
}

Recipe without_dropout() {
  Recipe recipe = test::text_recipe(0);
  recipe.model.dropout = recipe.model.relu_dropout = recipe.model.attention_dropout = 0;
  recipe.train.steps = 1;
  recipe.train.global_tokens = 0;
  return recipe;
}

// The loss of a batch of tokens was divided by the rows of a batch of sentences, where all targets were as
// long.
TEST(LearnerText, TokenBatchesOfEqualTargetsAreMeansOverTheirRows) {
  const auto solo = cluster::make_solo_communicator();
  const auto text = equal_targets();
  Recipe sentences = without_dropout(), tokens = sentences;
  sentences.train.global_batch = 24;
  tokens.train.global_tokens = 100000;
  const test::Learnt all = test::learn(sentences, *text, *solo), same = test::learn(tokens, *text, *solo);
  EXPECT_EQ(same.rows, 24 * 5);
  EXPECT_EQ(all.rows, same.rows);
  EXPECT_TRUE(at::allclose(all.weights, same.weights, 1e-5, 1e-6))
      << (all.weights - same.weights).abs().max().item<float>();
}

// A captured step repeated the first step's dropout, and its shapes.
TEST(LearnerText, IsNotCaptured) {
  const auto solo = cluster::make_solo_communicator();
  const auto text = equal_targets();
  Recipe recipe = without_dropout();
  recipe.model.attention_dropout = 0.5;
  recipe.train.global_batch = 8;
  recipe.train.steps = 8;
  recipe.train.capture = "never";
  const at::Tensor launched = test::learn(recipe, *text, *solo).weights;
  recipe.train.capture = "always";
  EXPECT_TRUE(at::equal(test::learn(recipe, *text, *solo).weights, launched));
}

// A run went on with another corpus, and its next checkpoint said that it had always been this one.
TEST(LearnerText, GoesOnWithItsOwnSamplesOnly) {
  const auto solo = cluster::make_solo_communicator();
  const auto text = equal_targets(), other = test::some_text();
  const Recipe recipe = without_dropout();
  const Learner learner(recipe, *text, 1, *solo, cluster::Placement{}, nullptr, nullptr);
  Checkpoint checkpoint = learner.snapshot(0);
  checkpoint.folder = "run/checkpoints/step-0";
  EXPECT_EQ(checkpoint.state.samples, text->fingerprint());
  const auto resume = [&](const data::TextDataset& samples) {
    Learner(recipe, samples, 1, *solo, cluster::Placement{}, nullptr, &checkpoint);
  };
  resume(*text);
  EXPECT_THROW(resume(*other), DataError);
  checkpoint.state.samples.clear();  // an older checkpoint
  resume(*other);
  checkpoint.weights.metadata["vocabulary"] = "another";
  EXPECT_THROW(resume(*text), DataError);
}

}  // namespace
}  // namespace smoothlab::trainer
