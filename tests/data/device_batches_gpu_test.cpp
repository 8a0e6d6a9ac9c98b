#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "augmentation_chains.h"
#include "cluster/device.h"
#include "data/batch_augmentation.h"
#include "data/batch_stream.h"

namespace smoothlab::data {
namespace {

class DeviceBatchesGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cluster::cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  }
  const c10::Device gpu_{c10::DeviceType::CUDA, 0};
};

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.contiguous().view(at::kInt).equal(b.cpu().contiguous().view(at::kInt));
}

void expect_bits_of_the_cpu(const AugmentOptions& options, const std::vector<int64_t>& size,
                            const std::string& name, c10::Device gpu) {
  constexpr int64_t count = 11;
  const std::vector<uint8_t> images = pictures(count, size[0] * size[1] * size[2]);
  for (const bool channels_last : {false, true}) {
    const BatchAugmentation whole(Augmentation(options, 7, size[0], size[1], size[2]), channels_last);
    const at::Tensor here = whole.make_store(images.data(), count, c10::Device(c10::DeviceType::CPU));
    const at::Tensor there = whole.make_store(images.data(), count, gpu);
    ASSERT_TRUE(there.cpu().equal(here));
    for (const Augment augment : {Augment::training, Augment::none}) {
      const at::Tensor batch = whole.apply(there, images.data(), some_samples(count), augment);
      ASSERT_EQ(batch.device(), gpu);
      ASSERT_TRUE(
          batch.is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
      ASSERT_TRUE(same_bits(whole.apply(here, images.data(), some_samples(count), augment), batch))
          << name << ", " << size[0] << "x" << size[1] << "x" << size[2];
    }
  }
}

TEST_F(DeviceBatchesGpu, HasTheBitsOfTheCpu) {
  for (const auto& [name, options] : chains())
    for (const std::vector<int64_t>& size :
         {std::vector<int64_t>{9, 7, 1}, std::vector<int64_t>{8, 8, 3}, std::vector<int64_t>{6, 11, 4}})
      expect_bits_of_the_cpu(options, size, name, gpu_);
  expect_bits_of_the_cpu(tutorial_chain(), {32, 32, 3}, "tutorial", gpu_);
}

TaskOptions some_images() {
  TaskOptions options;
  options.data = "generated";
  options.train_samples = 300;
  options.test_samples = 50;
  options.augment = tutorial_chain();
  options.channels_last = true;
  return options;
}

TEST_F(DeviceBatchesGpu, StreamsOfTheDeviceAreThoseOfTheCpu) {
  const Task task = open_task(some_images(), 5);
  const Task kept = keep_on_device(task, gpu_, 1 << 30);
  ASSERT_NE(kept.train, task.train);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
    for (const int workers : {0, 1, 3}) {
      TrainingStreamOptions options;
      options.global_batch.samples = 64;
      options.micro_batch = 24;
      options.workers = workers;
      options.input_type = type;
      TrainingStream here(task.train, options);
      options.device = gpu_;
      TrainingStream copied(task.train, options), resident(kept.train, options);
      for (int i = 0; i < 60; ++i) {
        const Batch expected = here.next().batch;
        for (TrainingStream* stream : {&copied, &resident}) {
          const Batch batch = stream->next().batch;
          ASSERT_EQ(batch.inputs[0].device(), gpu_);
          ASSERT_EQ(batch.inputs[0].scalar_type(), type);
          ASSERT_EQ(batch.inputs[0].strides(), expected.inputs[0].strides());
          ASSERT_TRUE(batch.inputs[0].cpu().equal(expected.inputs[0])) << i;
          ASSERT_EQ(batch.device_labels.device(), gpu_);
          ASSERT_TRUE(batch.device_labels.cpu().equal(expected.labels));
          ASSERT_TRUE(batch.labels.equal(expected.labels));
          ASSERT_TRUE(batch.sample_ids.equal(expected.sample_ids));
        }
      }
    }
}

TEST_F(DeviceBatchesGpu, EvaluationIsThatOfTheCpu) {
  const Task task = open_task(some_images(), 5);
  const Task kept = keep_on_device(task, gpu_, 1 << 30);
  EvaluationStreamOptions options;
  options.batch = 16;
  EvaluationStream here(task.test, options);
  options.device = gpu_;
  EvaluationStream copied(task.test, options), resident(kept.test, options);
  for (Batch expected; here.next(expected);)
    for (EvaluationStream* stream : {&copied, &resident}) {
      Batch batch;
      ASSERT_TRUE(stream->next(batch));
      ASSERT_TRUE(same_bits(expected.inputs[0], batch.inputs[0]));
      ASSERT_TRUE(batch.device_labels.cpu().equal(expected.labels));
    }
}

}  // namespace
}  // namespace smoothlab::data
