#include "data/hold_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

using Split = HoldOut::Split;

/// 1000 sentences; the n-th has 1 + n mod 4 translations.
std::vector<std::string> sources() {
  std::vector<std::string> all;
  for (int n = 0; n < 1000; ++n)
    for (int i = 0; i <= n % 4; ++i) all.push_back("sentence " + std::to_string(n));
  return all;
}

HoldOut chosen(const std::vector<std::string>& all, int64_t validation, int64_t test, uint64_t seed) {
  HoldOut held_out;
  for (const auto& source : all) held_out.add(source);
  held_out.choose(validation, test, seed);
  return held_out;
}

std::map<Split, int64_t> counts(const HoldOut& held_out, const std::vector<std::string>& all) {
  std::map<Split, int64_t> pairs;
  for (const auto& source : all) ++pairs[held_out.of(source)];
  return pairs;
}

TEST(HoldOut, AsManyPairsAsWereAskedFor) {
  const auto all = sources();
  auto pairs = counts(chosen(all, 200, 300, 1), all);
  EXPECT_EQ(pairs[Split::validation], 200);
  EXPECT_EQ(pairs[Split::test], 300);
  EXPECT_EQ(pairs[Split::train], 2000);
  EXPECT_EQ(counts(HoldOut(), all)[Split::train], 2500);
}

TEST(HoldOut, DependsOnTheSeedAndNotOnTheOrder) {
  auto all = sources();
  const auto splits = [&](const HoldOut& held_out) {
    std::vector<Split> of;
    for (int n = 0; n < 1000; ++n) of.push_back(held_out.of("sentence " + std::to_string(n)));
    return of;
  };
  const auto first = splits(chosen(all, 200, 300, 1));
  EXPECT_NE(first, splits(chosen(all, 200, 300, 2)));
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(first, splits(chosen(all, 200, 300, 1)));
  // The test is the same whatever else is held out.
  const auto without = splits(chosen(all, 0, 300, 1));
  for (size_t n = 0; n < first.size(); ++n) EXPECT_EQ(first[n] == Split::test, without[n] == Split::test);
}

// Every kind of group has its share: groups are not chosen by their size.
TEST(HoldOut, GroupsOfAllSizes) {
  const auto all = sources();
  const HoldOut held_out = chosen(all, 0, 1000, 3);
  std::vector<int> groups(4);
  for (int n = 0; n < 1000; ++n)
    if (held_out.of("sentence " + std::to_string(n)) == Split::test) ++groups[static_cast<size_t>(n % 4)];
  for (const int count : groups) EXPECT_NEAR(count, 100, 35);  // ±4.5 standard deviations of 250 with p = 0.4
}

TEST(HoldOut, WhatCannotBeHeldOut) {
  const std::vector<std::string> all = {"a", "a", "b", "b", "b"};
  EXPECT_THROW(chosen(all, 5, 0, 1), UsageError);
  EXPECT_THROW(chosen(all, 2, 3, 1), UsageError);
  EXPECT_THROW(chosen(all, 100, 0, 1), UsageError);
  EXPECT_THROW(chosen(all, 1, 0, 1), UsageError);
  EXPECT_EQ(counts(chosen(all, 2, 0, 1), all)[Split::validation], 2);
}

}  // namespace
}  // namespace smoothlab::data
