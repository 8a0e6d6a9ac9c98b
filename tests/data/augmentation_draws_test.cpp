#include "data/augmentation_draws.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "data/task.h"

namespace smoothlab::data {
namespace {

Task small_task() {
  TaskOptions options;
  options.data = "generated";
  options.classes = 5;
  options.train_samples = 40;
  options.test_samples = 5;
  options.augment.shift = 4;
  options.augment.flip = true;
  return open_task(options, 3);
}

std::vector<SampleAddress> items(const Dataset& dataset) {
  std::vector<SampleAddress> all;
  for (int64_t i = 0; i < dataset.size(); ++i) all.push_back({i, 0});
  return all;
}

TEST(AugmentationDraws, RepeatEachSample) {
  const Task task = small_task();
  const AugmentationDraws draws(task.train, {7, 2}, 3);
  ASSERT_EQ(draws.size(), 6);
  const Batch batch = draws.collate(items(draws), Augment::none);
  EXPECT_TRUE(batch.sample_ids.equal(at::tensor({7, 7, 7, 2, 2, 2}, at::kLong)));
  EXPECT_TRUE(batch.labels.equal(at::tensor({2, 2, 2, 2, 2, 2}, at::kLong)));
  EXPECT_TRUE(draws.labels().equal(batch.labels));
  EXPECT_EQ(draws.class_counts()[2].item<int64_t>(), 6);
  const auto& x = batch.inputs[0];
  EXPECT_FALSE(x[0].equal(x[1])) << "draws differ";
  EXPECT_FALSE(x[0].equal(x[3])) << "samples differ";
}

TEST(AugmentationDraws, AreTheSameHoweverTheyAreCut) {
  const Task task = small_task();
  const AugmentationDraws draws(task.train, {1, 4, 9}, 4);
  const auto all = draws.collate(items(draws), Augment::training).inputs[0];
  for (int64_t i = draws.size() - 1; i >= 0; --i)
    EXPECT_TRUE(draws.collate({{i, 5}}, Augment::none).inputs[0][0].equal(all[i])) << i;
}

TEST(AugmentationDraws, AreNotThoseOfTheFirstEpochs) {
  const Task task = small_task();
  const AugmentationDraws draws(task.train, {4}, 2);
  const auto drawn = draws.collate(items(draws), Augment::none).inputs[0];
  int same = 0;
  for (int64_t epoch = 0; epoch < 20; ++epoch)
    same += task.train->collate({{4, epoch}}, Augment::training).inputs[0][0].equal(drawn[0]) ? 1 : 0;
  EXPECT_LE(same, 2) << "81 shifts, mirrored or not, rarely meet";
}

TEST(AugmentationDraws, TakeTheFirstExamplesOfEachClass) {
  const Task task = small_task();  // labels go round 0 to 4
  EXPECT_EQ(first_of_classes(*task.train, {4, 1}, 3), (std::vector<int64_t>{1, 4, 6, 9, 11, 14}));
  EXPECT_EQ(first_of_classes(*task.train, {0, 3}, 8).size(), 16U);
  EXPECT_THROW(first_of_classes(*task.train, {0, 3}, 9), UsageError);
  EXPECT_THROW(AugmentationDraws(task.train, {40}, 2), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
