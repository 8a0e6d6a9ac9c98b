#include "data/imagenet_task.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cluster/error.h"
#include "data/jpeg_imagenet.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
using testing::HasSubstr;

TaskOptions task_of(const std::string& index) {
  TaskOptions options;
  options.data = "imagenet";
  options.path = index;
  options.augment.size = 24;
  return options;
}

at::Tensor all_inputs(const Dataset& dataset, Augment augment) {
  std::vector<SampleAddress> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back({i, 0});
  return dataset.collate(samples, augment).inputs[0];
}

TEST(ImagenetTask, HeldOutImagesAreEquallyLikely) {
  const auto chosen = held_out_images(10000, 400, 1);
  ASSERT_EQ(chosen.size(), 400U);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(std::adjacent_find(chosen.begin(), chosen.end()), chosen.end());
  // Of each tenth 40 ± 6 (one deviation): not the last classes, as the end of the split would be.
  for (int64_t tenth = 0; tenth < 10; ++tenth) {
    const auto count =
        std::count_if(chosen.begin(), chosen.end(), [&](int64_t image) { return image / 1000 == tenth; });
    EXPECT_NEAR(static_cast<double>(count), 40, 25) << tenth;
  }
  const auto more = held_out_images(10000, 500, 1);
  EXPECT_TRUE(std::includes(more.begin(), more.end(), chosen.begin(), chosen.end()));
  EXPECT_NE(held_out_images(10000, 400, 2), chosen);
  EXPECT_TRUE(held_out_images(10000, 0, 1).empty());
}

TEST(ImagenetTask, SplitsShareOutTheTrainingImages) {
  const TemporaryFolder folder;
  TaskOptions options = task_of(JpegImagenet().index(folder.path()));
  const Task whole = open_task(options, 1);
  EXPECT_EQ(whole.name, "imagenet");
  EXPECT_EQ(whole.train->size(), 18);
  EXPECT_EQ(whole.validation, nullptr);
  EXPECT_EQ(whole.test->size(), 7);
  EXPECT_TRUE(whole.test->labels().equal(at::tensor({0, 1, 2, 0, 1, 2, 0}, at::kLong)));

  options.validation = 5;
  const Task task = open_task(options, 1);
  EXPECT_EQ(task.train->size(), 13);
  EXPECT_EQ(task.validation->size(), 5);
  const auto held_out = held_out_images(18, 5, 1);
  const at::Tensor images = all_inputs(*whole.train, Augment::none);
  EXPECT_TRUE(all_inputs(*task.validation, Augment::none)
                  .equal(images.index_select(0, at::tensor(held_out, at::kLong))));
  EXPECT_TRUE(
      (task.train->class_counts() + task.validation->class_counts()).equal(whole.train->class_counts()));
  EXPECT_NE(task.train->fingerprint(), task.validation->fingerprint());
  // What is held out is a matter of the data, not of the run.
  EXPECT_EQ(open_task(options, 2).validation->fingerprint(), task.validation->fingerprint());
  options.data_seed = 2;
  EXPECT_NE(open_task(options, 1).validation->fingerprint(), task.validation->fingerprint());

  options.validation = 18;
  EXPECT_THROW(open_task(options, 1), UsageError);
}

TEST(ImagenetTask, AugmentationIsAsTheRecipeSays) {
  const TemporaryFolder folder;
  TaskOptions options = task_of(JpegImagenet().index(folder.path()));
  const auto seen = [&](uint64_t seed = 1, Augment augment = Augment::training) {
    return all_inputs(*open_task(options, seed).train, augment);
  };
  const at::Tensor unit = seen(), centre = seen(1, Augment::none);
  EXPECT_GE(unit.min().item<float>(), 0);
  EXPECT_LE(unit.max().item<float>(), 1);
  EXPECT_FALSE(seen(2).equal(unit));
  EXPECT_TRUE(seen(2, Augment::none).equal(centre));
  options.augment.normalize = "inception";
  EXPECT_LT((seen() - (unit * 2 - 1)).abs().max().item<float>(), 1e-6);
  options.augment.normalize = "none";
  EXPECT_LT((seen() - unit * 255).abs().max().item<float>(), 1e-4);
  options.augment.normalize = "imagenet";
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).view({3, 1, 1}),
                   deviation = at::tensor({0.229, 0.224, 0.225}).view({3, 1, 1});
  EXPECT_LT((seen() - (unit - mean) / deviation).abs().max().item<double>(), 1e-5);
  options.augment.normalize = "per_image";
  EXPECT_THROW(seen(), UsageError);
  options.augment.normalize = "unit";

  // Each changes what is seen, in training or in evaluation.
  const auto change = [&](const auto& set, bool training, bool evaluation) {
    const AugmentOptions before = options.augment;
    set(options.augment);
    EXPECT_NE(seen().equal(unit), training);
    EXPECT_NE(seen(1, Augment::none).equal(centre), evaluation);
    options.augment = before;
  };
  change([](auto& a) { a.flip = true; }, true, false);
  change([](auto& a) { a.area_low = 0.9; }, true, false);
  change([](auto& a) { a.area_high = 0.1; }, true, false);
  change([](auto& a) { a.aspect_low = 1.3; }, true, false);
  change([](auto& a) { a.aspect_high = 0.8; }, true, false);
  change([](auto& a) { a.jitter = 0.4; }, true, false);
  change([](auto& a) { a.centre = 1; }, false, true);
  change([](auto& a) { a.centre_shape = "square"; }, false, true);
  change([](auto& a) { a.filter = "bicubic"; }, true, true);
  change([](auto& a) { a.seed = 77; }, true, false);
  options.augment.size = 12;
  const at::Tensor small = seen();
  EXPECT_EQ(small.size(2), 12);
  options.augment.scaled_decoding = false;
  EXPECT_FALSE(seen().equal(small));
}

TEST(ImagenetTask, AnIndexOfOneSplitIsOfUse) {
  const TemporaryFolder folder;
  PrepareImagenetOptions made = JpegImagenet().write(folder.path());
  const std::string train = made.train;
  made.train.clear();
  // Of validation images alone the list says which classes there are.
  prepare(made);
  const Task evaluated = open_task_to_evaluate(task_of(made.out), 1);
  EXPECT_EQ(evaluated.train, nullptr);
  EXPECT_EQ(evaluated.test->size(), 7);
  try {
    open_task(task_of(made.out), 1);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no images to train on"));
    EXPECT_THAT(error.remedy(), HasSubstr("--train"));
  }
  made.train = train;
  made.validation.clear();
  made.validation_synsets.clear();
  made.out = folder / "other";
  prepare(made);
  const Task trained = open_task(task_of(made.out), 1);
  EXPECT_EQ(trained.train->size(), 18);
  EXPECT_EQ(trained.test, nullptr);
}

TEST(ImagenetTask, AMissingIndexSaysHowItIsMade) {
  const TemporaryFolder folder;
  try {
    open_task(task_of(folder.path()), 1);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("data prepare imagenet"));
  }
  EXPECT_THROW(open_task(task_of(""), 1), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
