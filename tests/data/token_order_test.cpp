#include "data/token_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

/// Lengths from 1 to 60, short ones often.
std::vector<int64_t> some_lengths(int64_t n) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < n; ++i) lengths.push_back(1 + (i * i * 7 + i) % 61 * ((i % 3) + 1) / 3);
  return lengths;
}

std::vector<SampleAddress> whole(const TokenOrder& order, int64_t step) {
  return order.at(step, 0, order.size(step));
}

TEST(TokenOrder, BringsEverySampleOnceAnEpochWithinTheBudget) {
  const auto lengths = some_lengths(997);
  const TokenOrder order(3, lengths, 200);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::set<int64_t> seen;
    for (int64_t step = epoch * order.batches(); step < (epoch + 1) * order.batches(); ++step) {
      int64_t longest = 0;
      for (const SampleAddress& address : whole(order, step)) {
        EXPECT_EQ(address.epoch, epoch);
        EXPECT_TRUE(seen.insert(address.sample).second);
        longest = std::max(longest, lengths[static_cast<size_t>(address.sample)]);
      }
      EXPECT_GE(order.size(step), 1);
      EXPECT_LE(order.size(step), order.largest());
      EXPECT_LE(longest * order.size(step), 200);
    }
    EXPECT_EQ(seen.size(), lengths.size());
  }
}

TEST(TokenOrder, BatchesAreFullAndHaveLittlePadding) {
  const auto lengths = some_lengths(5000);
  const TokenOrder order(3, lengths, 400);
  EXPECT_LT(order.padding(), 0.06);
  int64_t tokens = 0;
  for (const int64_t length : lengths) tokens += length;
  EXPECT_LT(static_cast<double>(order.batches()), 1.25 * static_cast<double>(tokens) / 400);
}

TEST(TokenOrder, DiffersBetweenEpochsAndSeedsAndIsRepeatable) {
  const auto lengths = some_lengths(300);
  const TokenOrder one(1, lengths, 100), again(1, lengths, 100), other(2, lengths, 100);
  const auto sequence = [](const TokenOrder& order, int64_t epoch) {
    std::vector<int64_t> ids;
    for (int64_t step = epoch * order.batches(); step < (epoch + 1) * order.batches(); ++step)
      for (const SampleAddress& address : whole(order, step)) ids.push_back(address.sample);
    return ids;
  };
  EXPECT_EQ(sequence(one, 5), sequence(again, 5));
  EXPECT_NE(sequence(one, 0), sequence(one, 1));
  EXPECT_NE(sequence(one, 0), sequence(other, 0));
}

TEST(TokenOrder, AnyPartOfAStepIsPartOfTheWhole) {
  const TokenOrder order(9, some_lengths(400), 150);
  for (const int64_t step : {int64_t{0}, int64_t{7}, order.batches() + 2}) {
    const auto all = whole(order, step);
    for (size_t first = 0; first < all.size(); ++first)
      EXPECT_EQ(order.at(step, static_cast<int64_t>(first), 1)[0].sample, all[first].sample);
  }
}

TEST(TokenOrder, ASampleLongerThanTheBudgetIsAloneInItsBatch) {
  const TokenOrder order(1, {5, 500, 5, 500}, 100);
  std::map<int64_t, int64_t> sizes;
  for (int64_t step = 0; step < order.batches(); ++step)
    for (const SampleAddress& address : whole(order, step)) sizes[address.sample] = order.size(step);
  EXPECT_EQ(sizes, (std::map<int64_t, int64_t>{{0, 2}, {1, 1}, {2, 2}, {3, 1}}));
  EXPECT_DOUBLE_EQ(order.epochs(order.batches() * 2), 2);
  EXPECT_EQ(order.steps(4), 4 * order.batches());
}

TEST(TokenOrder, RefusesNothing) {
  EXPECT_THROW(TokenOrder(1, {}, 100), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
