#include "trainer/recipe_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "trainer/known_keys.h"
#include "trainer/strict_yaml.h"

namespace smoothlab::trainer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const char* text =
    "task: {data: generated}\n"
    "model: {name: mlp}\n"
    "optimizer: {lr: 0.2, groups: [{match: fc*, lr_scale: 0.5}]}\n"
    "train: {steps: 10}\n";

std::string refusal(const std::vector<Override>& overrides) {
  try {
    RecipeFile(text, "r.yaml").recipe(overrides);
    return "no error";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(RecipeFile, GivesAnyNumberOfRecipesThatAreReadAsOneWouldBe) {
  const RecipeFile file(text, "r.yaml");
  for (const char* seed : {"1", "2", "3"}) {
    const Recipe recipe = file.recipe({{"train.seed", seed, "s.yaml", 4}});
    EXPECT_EQ(resolved_recipe(recipe),
              resolved_recipe(parse_recipe(text, "r.yaml", {std::string("train.seed=") + seed})));
  }
  EXPECT_EQ(file.recipe({}).train.seed, 1U) << "overrides leave no trace";
}

TEST(RecipeFile, OverridesHaveTheirOwnPlaces) {
  EXPECT_THAT(refusal({{"targets.alpha", "2", "s.yaml", 4}}), HasSubstr("s.yaml:4: targets.alpha"));
  EXPECT_THAT(refusal({{"targets.alhpa", "2", "s.yaml", 4}}),
              AllOf(HasSubstr("s.yaml:4"), HasSubstr("'alpha'?")));
  EXPECT_THAT(refusal({{"optimizer.groups", "[{match: a, lr_scal: 1}]", "s.yaml", 4}}),
              HasSubstr("s.yaml:4: optimizer.groups[0].lr_scal"));
  EXPECT_THAT(refusal({{"schedule.factor", "0.5", "s.yaml", 7}}), HasSubstr("s.yaml:7: schedule.factor"));
  EXPECT_THAT(refusal({{"targets.alpha", "2", "", 0}}), HasSubstr("--set targets.alpha=2"));
}

TEST(RecipeFile, AnOverriddenValueNeedNotBeReadable) {
  const RecipeFile file(
      "task: {data: mnist, path: ${SMOOTHLAB_SURELY_NOT_SET}/x}\nmodel: {name: mlp}\ntrain: {steps: 1}\n",
      "r.yaml");
  EXPECT_THROW(file.recipe({}), UsageError);
  EXPECT_EQ(file.recipe({{"task.path", "/there", "s.yaml", 1}}).task.path, "/there");
}

TEST(RecipeFile, UncheckedMayLackWhatARecipeNeeds) {
  const RecipeFile file("model: {name: mlp}\n", "r.yaml");
  EXPECT_EQ(file.unchecked({{"train.global_batch", "32", "s.yaml", 1}}).train.global_batch, 32);
  EXPECT_THROW(file.recipe({}), UsageError);
}

TEST(RecipeFile, CanonicalValuesAreAsRecipesWriteThem) {
  const Place here{"s.yaml:3", false};
  EXPECT_EQ(canonical_value(key_at("targets.alpha", here), "1e-1", here), "0.1");
  EXPECT_EQ(canonical_value(key_at("model.hidden", here), "[8,4]", here), "[8, 4]");
  EXPECT_THROW(canonical_value(key_at("targets.alpha", here), "[8]", here), UsageError);
}

TEST(RecipeFile, NodesAreWrittenAsTheyWereMeant) {
  const std::string yaml =
      "[plain, 'quoted', 0.1, '0.1', ${HOME}/x, $${HOME}, {match: 'a, b', lr_scale: 2}, ~, \"a\\\"b\"]";
  const std::string written = node_text(load_yaml(yaml, "y"));
  EXPECT_EQ(
      written,
      "[plain, \"quoted\", 0.1, \"0.1\", ${HOME}/x, $${HOME}, {match: \"a, b\", lr_scale: 2}, ~, \"a\\\"b\"]");
  EXPECT_EQ(node_text(load_yaml(written, "y")), written);
}

}  // namespace
}  // namespace smoothlab::trainer
