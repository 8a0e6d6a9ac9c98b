#include "data/resident_image_dataset.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "data/batch_stream.h"
#include "data/task.h"

namespace smoothlab::data {
namespace {

const c10::Device cpu(c10::DeviceType::CPU);

TaskOptions some_images() {
  TaskOptions options;
  options.data = "generated";
  options.train_samples = 53;
  options.test_samples = 20;
  options.validation = 12;
  options.augment.pad = 4;
  options.augment.crop = 32;
  options.augment.flip = true;
  options.augment.brightness = 20;
  options.augment.normalize = "per_image";
  options.channels_last = true;
  return options;
}

TEST(ResidentImageDataset, IsTheSameSplit) {
  const Task task = open_task(some_images(), 5);
  for (const auto& split : {task.train, task.validation, task.test}) {
    const auto resident = split->resident(cpu);
    EXPECT_EQ(resident->size(), split->size());
    EXPECT_EQ(resident->classes(), split->classes());
    EXPECT_EQ(resident->class_names(), split->class_names());
    EXPECT_EQ(resident->input_shape(), split->input_shape());
    EXPECT_TRUE(resident->class_counts().equal(split->class_counts()));
    std::vector<SampleAddress> all;
    for (int64_t i = 0; i < split->size(); ++i) all.push_back({split->size() - 1 - i, i % 3});
    const Batch batch = resident->collate(all, Augment::training),
                expected = split->collate(all, Augment::training);
    EXPECT_TRUE(batch.inputs[0].equal(expected.inputs[0]));
    EXPECT_EQ(batch.inputs[0].strides(), expected.inputs[0].strides());
    EXPECT_TRUE(batch.labels.equal(expected.labels));
    EXPECT_TRUE(batch.sample_ids.equal(expected.sample_ids));
  }
}

TEST(ResidentImageDataset, TakesAsManyBytesAsItSays) {
  // 53 − 12 images of 32×32×3 with a row and a column more.
  EXPECT_EQ(open_task(some_images(), 5).train->resident_bytes(), 41 * 33 * 33 * 3);
}

TEST(ResidentImageDataset, RefusesASampleOutsideTheSplit) {
  const auto resident = open_task(some_images(), 5).validation->resident(cpu);
  EXPECT_THROW(resident->collate({{12, 0}}, Augment::none), UsageError);
  EXPECT_THROW(resident->collate({{-1, 0}}, Augment::none), UsageError);
  EXPECT_EQ(resident->collate({}, Augment::none).rows(), 0);
}

TEST(ResidentImageDataset, FeedsTheSameStream) {
  const auto split = open_task(some_images(), 5).train;
  TrainingStreamOptions options;
  options.global_batch.samples = 16;
  options.micro_batch = 5;
  options.workers = 2;
  TrainingStream plain(split, options), resident(split->resident(cpu), options);
  for (int i = 0; i < 20; ++i) {
    const MicroBatch a = plain.next(), b = resident.next();
    ASSERT_TRUE(a.batch.inputs[0].equal(b.batch.inputs[0])) << i;
    ASSERT_TRUE(a.batch.labels.equal(b.batch.labels)) << i;
    ASSERT_EQ(a.last, b.last);
  }
}

}  // namespace
}  // namespace smoothlab::data
