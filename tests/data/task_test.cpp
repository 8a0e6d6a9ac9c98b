#include "data/task.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

TaskOptions generated() {
  TaskOptions options;
  options.data = "generated";
  options.train_samples = 100;
  options.test_samples = 30;
  return options;
}

std::vector<SampleAddress> all(const Dataset& dataset, int64_t epoch = 0) {
  std::vector<SampleAddress> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back({i, epoch});
  return samples;
}

TEST(Task, ValidationIsTheEndOfTraining) {
  TaskOptions options = generated();
  const Task whole = open_task(options, 1);
  EXPECT_EQ(whole.validation, nullptr);
  options.validation = 40;
  const Task task = open_task(options, 1);
  EXPECT_EQ(task.train->size(), 60);
  EXPECT_EQ(task.validation->size(), 40);
  EXPECT_EQ(task.test->size(), 30);
  const at::Tensor images = whole.train->collate(all(*whole.train), Augment::none).inputs[0];
  EXPECT_TRUE(task.train->collate(all(*task.train), Augment::none).inputs[0].equal(images.slice(0, 0, 60)));
  const Batch held = task.validation->collate(all(*task.validation), Augment::none);
  EXPECT_TRUE(held.inputs[0].equal(images.slice(0, 60)));
  EXPECT_TRUE(held.sample_ids.equal(at::arange(40)));
}

TEST(Task, BatchHasTheDocumentedShapesAndTypes) {
  TaskOptions options = generated();
  options.augment.crop = 24;
  const Task task = open_task(options, 1);
  EXPECT_EQ(task.name, "generated");
  EXPECT_EQ(task.train->classes(), 10);
  EXPECT_EQ(task.train->class_names().size(), 10u);
  EXPECT_EQ(task.train->input_shape(), (std::vector<int64_t>{3, 24, 24}));
  const Batch batch = task.train->collate({{5, 0}, {7, 2}, {99, 1}}, Augment::training);
  ASSERT_EQ(batch.inputs.size(), 1u);
  EXPECT_EQ(batch.inputs[0].sizes(), (std::vector<int64_t>{3, 3, 24, 24}));
  EXPECT_EQ(batch.inputs[0].scalar_type(), at::kFloat);
  EXPECT_EQ(batch.labels.scalar_type(), at::kLong);
  EXPECT_TRUE(batch.labels.equal(at::tensor({5, 7, 9}, at::kLong)));
  EXPECT_TRUE(batch.sample_ids.equal(at::tensor({5, 7, 99}, at::kLong)));
  EXPECT_FALSE(batch.positions.defined());
  EXPECT_EQ(batch.rows(), 3);
  EXPECT_GE(batch.inputs[0].min().item<float>(), 0);
  EXPECT_LE(batch.inputs[0].max().item<float>(), 1);
}

TEST(Task, ChannelsLastChangesStridesAndNothingElse) {
  TaskOptions options = generated();
  options.augment.flip = true;
  options.augment.normalize = "per_image";
  const Task first = open_task(options, 1);
  options.channels_last = true;
  const Task last = open_task(options, 1);
  const at::Tensor a = first.train->collate(all(*first.train, 3), Augment::training).inputs[0];
  const at::Tensor b = last.train->collate(all(*last.train, 3), Augment::training).inputs[0];
  EXPECT_TRUE(a.is_contiguous());
  EXPECT_TRUE(b.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(b.is_contiguous());
  EXPECT_TRUE(a.equal(b));
}

TEST(Task, SeedIsThatOfTheAugmentation) {
  TaskOptions options = generated();
  options.augment.flip = true;
  const Task one = open_task(options, 1), two = open_task(options, 2);
  const auto samples = all(*one.train);
  EXPECT_TRUE(one.train->collate(samples, Augment::none)
                  .inputs[0]
                  .equal(two.train->collate(samples, Augment::none).inputs[0]));
  EXPECT_FALSE(one.train->collate(samples, Augment::training)
                   .inputs[0]
                   .equal(two.train->collate(samples, Augment::training).inputs[0]));
}

TEST(Task, ClassCountsAreThoseOfTheSplit) {
  TaskOptions options = generated();
  options.validation = 35;
  const Task task = open_task(options, 1);
  EXPECT_TRUE(task.train->class_counts().equal(at::tensor({7, 7, 7, 7, 7, 6, 6, 6, 6, 6}, at::kLong)));
  EXPECT_EQ(task.validation->class_counts().sum().item<int64_t>(), 35);
}

TEST(Task, RefusesWhatItCannotOpen) {
  const auto message = [](const TaskOptions& options) -> std::string {
    try {
      open_task(options, 1);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "nothing failed";
  };
  TaskOptions options = generated();
  options.validation = 100;
  EXPECT_THAT(message(options), testing::HasSubstr("cannot hold out 100 of 100 training samples"));
  options.validation = -1;
  EXPECT_THAT(message(options), testing::HasSubstr("task.validation"));
  options = generated();
  options.data = "cifar-10";
  EXPECT_THAT(message(options), testing::HasSubstr("did you mean 'cifar10'?"));
  options.data = "cifar10";
  EXPECT_THAT(message(options), testing::HasSubstr("task.path"));
  const Task task = open_task(generated(), 1);
  EXPECT_THROW(task.train->collate({{100, 0}}, Augment::none), UsageError);
  EXPECT_THROW(task.train->collate({{-1, 0}}, Augment::none), UsageError);
  EXPECT_EQ(task.train->collate({}, Augment::none).rows(), 0);
}

TEST(Task, OnTheCpuItStaysWhereItIs) {
  const Task task = open_task(generated(), 1);
  const Task kept = keep_on_device(task, c10::Device(c10::DeviceType::CPU), 1 << 30);
  EXPECT_EQ(kept.train, task.train);
  EXPECT_EQ(kept.test, task.test);
}

/// What would be put on a device, without one.
class Movable : public Dataset {
 public:
  explicit Movable(int64_t bytes, bool moved = false) : bytes_(bytes), moved_(moved) {}
  int64_t size() const override { return 1; }
  int64_t classes() const override { return 2; }
  std::vector<std::string> class_names() const override { return {"a", "b"}; }
  int64_t rows(int64_t) const override { return 1; }
  at::Tensor class_counts() const override { return at::zeros({2}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {1}; }
  Batch collate(const std::vector<SampleAddress>&, Augment) const override { return {}; }
  int64_t resident_bytes() const override { return bytes_; }
  std::shared_ptr<const Dataset> resident(c10::Device) const override {
    return std::make_shared<Movable>(bytes_, true);
  }
  bool moved() const { return moved_; }

 private:
  int64_t bytes_;
  bool moved_;
};

std::vector<bool> moved(int64_t train, int64_t validation, int64_t test, int64_t most_bytes) {
  const auto set = [](int64_t bytes) { return bytes < 0 ? nullptr : std::make_shared<const Movable>(bytes); };
  const Task task{set(train), set(validation), set(test), "some"};
  const Task kept = keep_on_device(task, c10::Device(c10::DeviceType::CUDA, 0), most_bytes);
  std::vector<bool> result;
  for (const auto& split : {kept.train, kept.validation, kept.test})
    result.push_back(split && dynamic_cast<const Movable&>(*split).moved());
  return result;
}

TEST(Task, SplitsThatFitGoToTheDevice) {
  using Moved = std::vector<bool>;
  EXPECT_EQ(moved(50, 10, 10, 70), (Moved{true, true, true}));
  EXPECT_EQ(moved(50, 10, 10, 69), (Moved{true, true, false}));
  EXPECT_EQ(moved(50, 10, 10, 49), (Moved{false, true, true}));
  EXPECT_EQ(moved(50, -1, 10, 60), (Moved{true, false, true}));
  EXPECT_EQ(moved(0, 10, 10, 10), (Moved{false, true, false}));  // 0: one that cannot be moved
  EXPECT_EQ(moved(50, 10, 10, 0), (Moved{false, false, false}));
}

}  // namespace
}  // namespace smoothlab::data
