#include "launcher/variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

using testing::ElementsAre;

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
  EXPECT_THAT(grid[1].settings, ElementsAre("targets.alpha=0", "train.seed=2"));
  EXPECT_EQ(grid[2].name, "alpha-0.1-seed-1");
}

TEST(Variants, ListsWithinBracketsAreOneValue) {
  const auto widths = expand_variants({"model.hidden=[8],[8, 4]"});
  ASSERT_EQ(widths.size(), 2U);
  EXPECT_THAT(widths[1].settings, ElementsAre("model.hidden=[8, 4]"));
  EXPECT_EQ(widths[1].name, "hidden-8_4");
  EXPECT_THAT(names({"task.path=/a/b"}), ElementsAre("path-_a_b")) << "a folder's name";
}

TEST(Variants, WhatMeansNoRunsIsRefused) {
  for (const char* bad : {"train.seed", "=1,2", "train.seed=", "train.seed=1,,2", "train.seed=1,1"})
    EXPECT_THROW(expand_variants({bad}), UsageError) << bad;
  EXPECT_THROW(expand_variants({"train.seed=1", "train.seed=2"}), UsageError);
}

}  // namespace
}  // namespace smoothlab::launcher
