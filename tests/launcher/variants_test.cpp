#include "launcher/variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<Variant> expand_variants(const std::vector<std::string>& lists) {
  std::vector<Axis> axes;
  for (const auto& list : lists) axes.push_back(axis_of(list));
  return expand_axes(axes, "--each");
}

std::vector<std::string> names(const std::vector<std::string>& lists) {
  std::vector<std::string> result;
  for (const auto& variant : expand_variants(lists)) result.push_back(variant.name);
  return result;
}

TEST(Variants, AreEveryCombinationTheLastListFastest) {
  EXPECT_THAT(names({"train.seed=1,2,3"}), ElementsAre("seed-1", "seed-2", "seed-3"));
  const auto grid = expand_variants({"targets.alpha=0,0.1", "train.seed=1,2"});
  ASSERT_EQ(grid.size(), 4U);
  EXPECT_EQ(grid[1].name, "alpha-0-seed-2");
  EXPECT_THAT(grid[1].values, ElementsAre(Pair("targets.alpha", "0"), Pair("train.seed", "2")));
  EXPECT_EQ(grid[2].name, "alpha-0.1-seed-1");
}

TEST(Variants, ListsWithinBracketsAreOneValue) {
  const auto widths = expand_variants({"model.hidden=[8],[8, 4]"});
  ASSERT_EQ(widths.size(), 2U);
  EXPECT_THAT(widths[1].values, ElementsAre(Pair("model.hidden", "[8, 4]")));
  EXPECT_EQ(widths[1].name, "hidden-8_4");
  EXPECT_THAT(names({"task.path=/a/b"}), ElementsAre("path-_a_b")) << "a folder's name";
}

TEST(Variants, KeysWithOneLastNameAreToldApart) {
  EXPECT_THAT(names({"schedule.name=cosine", "model.name=mlp", "train.seed=1"}),
              ElementsAre("schedule.name-cosine-model.name-mlp-seed-1"));
}

TEST(Variants, KeysOfOneAxisVaryTogether) {
  const std::vector<Axis> axes = {{{"model.name", "optimizer.lr"}, {{"resnet8", "0.1"}, {"mlp", "0.05"}}},
                                  {{"train.seed"}, {{"1"}, {"2"}}}};
  const auto variants = expand_axes(axes, "study.yaml:3");
  ASSERT_EQ(variants.size(), 4U);
  EXPECT_EQ(variants[1].name, "name-resnet8-lr-0.1-seed-2");
  EXPECT_EQ(variants[2].name, "name-mlp-lr-0.05-seed-1");
}

TEST(Variants, WhatMeansNoRunsIsRefused) {
  for (const char* bad : {"train.seed", "=1,2", "train.seed=", "train.seed=1,,2", "train.seed=1,1"})
    EXPECT_THROW(expand_variants({bad}), UsageError) << bad;
  EXPECT_THROW(expand_variants({"train.seed=1", "train.seed=2"}), UsageError);
}

}  // namespace
}  // namespace smoothlab::launcher
