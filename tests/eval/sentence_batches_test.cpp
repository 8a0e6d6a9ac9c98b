#include "eval/sentence_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/toy_decoding.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SentenceBatches, LongestFirstUpToTheBudget) {
  const auto sources = test::sentences({{1}, {2, 2, 2}, {3, 3}, {4, 4, 4}, {5, 5, 5, 5, 5, 5, 5, 5, 5}, {6}});
  EXPECT_THAT(batches_by_length(sources, {6, 100}),
              ElementsAre(ElementsAre(4), ElementsAre(1, 3), ElementsAre(2, 0, 5)));
  EXPECT_THAT(batches_by_length(sources, {1000, 4}), ElementsAre(ElementsAre(4, 1, 3, 2), ElementsAre(0, 5)));
  EXPECT_THAT(batches_by_length({}, {6, 100}), IsEmpty());
}

TEST(SentenceBatches, SentencesByNumber) {
  const auto chosen = chosen_sentences(test::sentences({{1}, {2, 3}, {4, 5, 6}}), {2, 0});
  EXPECT_THAT(chosen.tokens, ElementsAre(4, 5, 6, 1));
  EXPECT_THAT(chosen.offsets, ElementsAre(0, 3, 4));
}

}  // namespace
}  // namespace smoothlab::eval
