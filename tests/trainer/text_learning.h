#pragma once

// A small Transformer on small texts, without a run folder.

#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

#include "data/batch_stream.h"
#include "data/small_pairs.h"
#include "data/text_dataset.h"
#include "trainer/learner.h"
#include "trainer/run_parts.h"

namespace smoothlab::test {

inline std::shared_ptr<const data::TextDataset> text_of(
    const std::vector<std::pair<data::SmallPairs::Sentence, data::SmallPairs::Sentence>>& pairs) {
  return std::make_shared<const data::TextDataset>(std::make_shared<data::SmallPairs>(pairs, 30));
}

/// Sixty pairs of all lengths.
inline std::shared_ptr<const data::TextDataset> some_text() {
  std::vector<std::pair<data::SmallPairs::Sentence, data::SmallPairs::Sentence>> pairs;
  for (int32_t i = 0; i < 60; ++i) {
    data::SmallPairs::Sentence source, target;
    for (int32_t j = 0; j < 1 + i * 7 % 11; ++j) source.push_back(4 + (i * 5 + j * 3) % 26);
    for (int32_t j = 0; j < i * 3 % 9; ++j) target.push_back(4 + (i * 11 + j) % 26);
    pairs.emplace_back(source, target);
  }
  return text_of(pairs);
}

inline trainer::Recipe text_recipe(int64_t micro_tokens) {
  trainer::Recipe recipe;
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
  double loss;  ///< summed over rows
  int64_t rows;
};

/// All steps of a recipe.
inline Learnt learn(const trainer::Recipe& recipe, const data::TextDataset& text,
                    cluster::Communicator& communicator, const trainer::Checkpoint* resume = nullptr) {
  data::TrainingStreamOptions how;
  how.global_batch = trainer::batch_size(recipe);
  how.micro_batch = recipe.train.micro_tokens;
  how.slice = {communicator.rank(), communicator.size()};
  const std::shared_ptr<const data::TextDataset> unowned(&text, [](const auto*) {});
  data::TrainingStream stream(unowned, how);
  trainer::Learner learner(recipe, text, recipe.train.steps, communicator, cluster::Placement{}, nullptr,
                           resume);
  trainer::LossMeter meter;
  for (int64_t step = 0; step < recipe.train.steps; ++step)
    learner.step(
        step, [&] { return stream.next(); }, meter);
  const trainer::MetricWindow all = sum_of(trainer::gather_windows(communicator, meter.window()));
  std::vector<at::Tensor> flat;
  for (const auto& parameter : learner.network().parameters())
    flat.push_back(parameter.value.detach().reshape({-1}).clone());
  return {at::cat(flat), all.loss, all.rows};
}

}  // namespace smoothlab::test
