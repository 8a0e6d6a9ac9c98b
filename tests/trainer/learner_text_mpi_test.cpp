// Text on several ranks: a step sees the same sentences, drops the same units and weighs tokens alike,
// whichever rank has them.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "data/batch_stream.h"
#include "data/small_pairs.h"
#include "data/text_dataset.h"
#include "support/ranks.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"

namespace smoothlab::trainer {
namespace {

std::shared_ptr<const data::TextDataset> some_text() {
  std::vector<std::pair<data::SmallPairs::Sentence, data::SmallPairs::Sentence>> pairs;
  for (int32_t i = 0; i < 60; ++i) {
    data::SmallPairs::Sentence source, target;
    for (int32_t j = 0; j < 1 + i * 7 % 11; ++j) source.push_back(4 + (i * 5 + j * 3) % 26);
    for (int32_t j = 0; j < i * 3 % 9; ++j) target.push_back(4 + (i * 11 + j) % 26);
    pairs.emplace_back(source, target);
  }
  return std::make_shared<const data::TextDataset>(std::make_shared<data::SmallPairs>(pairs, 30));
}

Recipe text_recipe(int64_t micro_tokens) {
  Recipe recipe;
  recipe.task.data = "text";
  recipe.model.name = "transformer_tiny";
  recipe.model.form = "t2t";
  recipe.model.width = 16;
  recipe.model.feed_forward = 24;
  recipe.model.heads = 2;
  recipe.model.dropout = recipe.model.relu_dropout = recipe.model.attention_dropout = 0.2;
  recipe.targets.alpha = 0.1;
  recipe.targets.convention = "joeynmt";
  recipe.optimizer.lr = 0.1;
  recipe.train.global_tokens = 70;
  recipe.train.micro_tokens = micro_tokens;
  recipe.train.steps = 5;
  return recipe;
}

struct Learnt {
  at::Tensor weights;
  double loss;
  int64_t rows;
};

Learnt learn(const Recipe& recipe, cluster::Communicator& communicator) {
  const auto text = some_text();
  data::TrainingStreamOptions how;
  how.global_batch = batch_size(recipe);
  how.micro_batch = recipe.train.micro_tokens;
  how.slice = {communicator.rank(), communicator.size()};
  data::TrainingStream stream(text, how);
  Learner learner(recipe, *text, recipe.train.steps, communicator, cluster::Placement{}, nullptr, nullptr);
  LossMeter meter;
  for (int64_t step = 0; step < recipe.train.steps; ++step)
    learner.step(
        step, [&] { return stream.next(); }, meter);
  const MetricWindow all = sum_of(gather_windows(communicator, meter.window()));
  std::vector<at::Tensor> flat;
  for (const auto& parameter : learner.network().parameters())
    flat.push_back(parameter.value.detach().reshape({-1}).clone());
  return {at::cat(flat), all.loss, all.rows};
}

TEST(LearnerTextMpi, LearnsTheSameOnAnyRanksAndInAnyParts) {
  const auto solo = cluster::make_solo_communicator();
  const Learnt alone = learn(text_recipe(0), *solo);
  ASSERT_GT(alone.rows, 100);
  for (const int64_t micro_tokens : {0, 20}) {
    const Learnt shared = learn(text_recipe(micro_tokens), test::ranks());
    EXPECT_EQ(shared.rows, alone.rows);
    EXPECT_NEAR(shared.loss, alone.loss, 1e-4 * alone.loss);
    EXPECT_TRUE(at::allclose(shared.weights, alone.weights, 1e-4, 1e-5))
        << (shared.weights - alone.weights).abs().max().item<float>();
  }
}

}  // namespace
}  // namespace smoothlab::trainer
