#include "data/text_dataset.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "data/small_pairs.h"

namespace smoothlab::data {
namespace {

TextDataset small_text() {
  return TextDataset(std::make_shared<SmallPairs>(
      std::vector<std::pair<SmallPairs::Sentence, SmallPairs::Sentence>>{{{5, 6}, {7}}, {{8}, {9, 4, 9}}},
      10));
}

std::vector<int64_t> values(const at::Tensor& tensor) {
  const at::Tensor all = tensor.to(at::kLong).contiguous();
  return {all.data_ptr<int64_t>(), all.data_ptr<int64_t>() + all.numel()};
}

TEST(TextDataset, PacksSentencesAndShiftsTargets) {
  const TextDataset text = small_text();
  const Batch batch = text.collate({{1, 0}, {0, 3}}, Augment::training);
  using V = std::vector<int64_t>;
  EXPECT_EQ(values(batch.inputs[0]), (V{8, 3, 5, 6, 3}));
  EXPECT_EQ(values(batch.inputs[1]), (V{0, 2, 5}));
  EXPECT_EQ(values(batch.inputs[2]), (V{2, 9, 4, 9, 2, 7}));
  EXPECT_EQ(values(batch.inputs[3]), (V{0, 4, 6}));
  EXPECT_EQ(values(batch.labels), (V{9, 4, 9, 3, 7, 3}));
  EXPECT_EQ(values(batch.sample_ids), (V{1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(values(batch.positions), (V{0, 1, 2, 3, 0, 1}));
  EXPECT_EQ(batch.rows(), 6);
}

TEST(TextDataset, CountsRowsTokensAndClasses) {
  const TextDataset text = small_text();
  EXPECT_EQ(text.rows(0), 2);
  EXPECT_EQ(text.rows(1), 4);
  EXPECT_EQ(text.tokens(0), 3);
  EXPECT_EQ(text.tokens(1), 4);
  EXPECT_EQ(values(text.class_counts()), (std::vector<int64_t>{0, 0, 0, 2, 1, 0, 0, 1, 0, 2}));
  EXPECT_TRUE(text.vocabularies()->joint());
}

TEST(TextDataset, RefusesASampleThatIsNotThere) {
  EXPECT_THROW(small_text().collate({{2, 0}}, Augment::none), UsageError);
}

TEST(TextDataset, NamesTheVocabularyWithoutBeginOrEnd) {
  const auto failure = [](const SpecialTokens& special) -> std::string {
    try {
      TextDataset(
          std::make_shared<SmallPairs>(
              std::vector<std::pair<SmallPairs::Sentence, SmallPairs::Sentence>>{{{5}, {7}}}, 10, special),
          "corpus/source.model", "corpus/target.model");
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  };
  EXPECT_THAT(failure({0, 2, -1, 1}), testing::HasSubstr("no begin token (corpus/source.model)"));
  EXPECT_THAT(failure({0, 2, 1, -1}), testing::HasSubstr("no end token (corpus/source.model)"));
  EXPECT_EQ(failure({-1, 0, 1, 2}), "nothing failed");
}

TEST(TextDataset, MakesABatchOfNothing) {
  const Batch batch = small_text().collate({}, Augment::none);
  EXPECT_EQ(batch.rows(), 0);
  EXPECT_EQ(values(batch.inputs[1]), (std::vector<int64_t>{0}));
}

}  // namespace
}  // namespace smoothlab::data
