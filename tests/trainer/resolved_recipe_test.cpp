// The text that a run keeps of its recipe, and its hash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "trainer/recipe.h"
#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

using testing::HasSubstr;

const std::string small = R"(task: {data: generated}
model: {name: mlp, hidden: [32]}
train: {steps: 10}
)";

Recipe parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_recipe(text, "recipe.yaml", overrides);
}

TEST(ResolvedRecipe, GivesTheSameRecipe) {
  setenv("SMOOTHLAB_TEST_FOLDER", "/a \"b\"\\ : #", 1);
  const Recipe recipe = parse(R"(
task: {data: idx, path: "${SMOOTHLAB_TEST_FOLDER}$${X}é", validation: 7, augment: {contrast_low: 0.2, brightness: 63}}
model: {name: mlp, hidden: [3, 4], dropout: 0.1, initialisation: variance-0.03}
targets: {alpha: 0.1, convention: unigram, confidence_penalty: 0.30000000000000004}
optimizer: {name: rmsprop, epsilon_inside: true, lr: 1e-17, groups: [{match: "fc*", lr_scale: 0.1}, {match: "1", weight_decay: 0}]}
schedule: {name: step, at: [5, 6]}
train: {epochs: 3, seed: 18446744073709551615, ema: 0.9999, ema_warmup: true}
)");
  const std::string text = resolved_recipe(recipe);
  const Recipe again = parse(text);
  EXPECT_EQ(resolved_recipe(again), text);
  EXPECT_EQ(again.task.path, "/a \"b\"\\ : #${X}é");
  EXPECT_EQ(again.train.seed, 18446744073709551615u);
  EXPECT_EQ(again.targets.confidence_penalty, recipe.targets.confidence_penalty);
  EXPECT_EQ(again.optimizer.groups.at(1).match, "1");
  EXPECT_EQ(again.optimizer.lr, 1e-17);
  for (const auto& key : recipe_keys()) EXPECT_EQ(key.write(again), key.write(recipe)) << key.path;
}

/// Every key, whether it means something or not, as recipes of runs were written at first.
std::string with_every_key(const Recipe& recipe) {
  std::string text, block;
  for (const auto& key : recipe_keys()) {
    const auto depth = static_cast<size_t>(std::count(key.path.begin(), key.path.end(), '.'));
    if (block_of(key.path) != block) {
      block = block_of(key.path);
      text += std::string(2 * (depth - 1), ' ') + name_of(block) + ":\n";
    }
    text += std::string(2 * depth, ' ') + name_of(key.path) + ": " + key.write(recipe) + "\n";
  }
  return text;
}

// Keys of the generated set used to stand in the recipe of a run on MNIST.
TEST(ResolvedRecipe, HoldsNoKeyThatMeansNothing) {
  const Recipe mnist = parse(
      "task: {data: mnist, path: /x}\nmodel: {name: resnet20}\ntrain: {epochs: 1, global_batch: 100000}\n");
  const std::string text = resolved_recipe(mnist);
  for (const char* key : {"classes:", "train_samples:", "noise:", "data_seed:", "hidden:", "initialisation:",
                          "nesterov: true", "beta1:", "final_factor:", "steps:", "ema_warmup:", "\"\""})
    EXPECT_THAT(text, testing::Not(HasSubstr(key)));
  for (const char* key :
       {"data: mnist", "path: ", "momentum: 0", "nesterov: false", "warmup: 0", "epochs: 1"})
    EXPECT_THAT(text, HasSubstr(key));
  for (const Recipe& recipe : {mnist, parse(small)}) {
    const Recipe again = parse(resolved_recipe(recipe)), old = parse(with_every_key(recipe));
    for (const auto& key : recipe_keys()) {
      EXPECT_EQ(key.write(again), key.write(recipe)) << key.path;
      EXPECT_EQ(key.write(old), key.write(recipe)) << key.path;
    }
  }
}

// A program may set what its recipe does not use; nothing of that is lost either.
TEST(ResolvedRecipe, KeepsWhatIsNotAtItsDefault) {
  Recipe recipe = parse(small);
  recipe.schedule.factor = 0.3;
  EXPECT_THAT(resolved_recipe(recipe), HasSubstr("factor: 0.3"));
}

TEST(ResolvedRecipe, HashFollowsValuesAndNotSpelling) {
  const std::string hash = recipe_hash(parse(small));
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash, recipe_hash(parse("# other words\n" + small + "targets: {alpha: 0}\n")));
  EXPECT_NE(hash, recipe_hash(parse(small + "targets: {alpha: 0.1}\n")));
}

}  // namespace
}  // namespace smoothlab::trainer
