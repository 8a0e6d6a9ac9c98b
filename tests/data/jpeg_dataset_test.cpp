#include "data/jpeg_dataset.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "cluster/error.h"
#include "data/batch_stream.h"
#include "data/jpeg_imagenet.h"
#include "data/task.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
using testing::ElementsAre;
using testing::HasSubstr;

/// Cut where its pixels are; the end marker of the file is gone with them.
std::string cut(std::string file) {
  file.resize(file.size() / 2);
  return file;
}

class JpegDatasetInputs : public testing::Test {
 protected:
  JpegDataset open(double damaged = 0.5, bool channels_last = true, uint64_t data_seed = 1) {
    if (!std::filesystem::exists(folder / "index")) imagenet.index(folder.path());
    const auto archive = std::make_shared<const ImageArchive>(folder / "index", "train");
    JpegDatasetOptions options;
    options.images.resize(static_cast<size_t>(archive->size()));
    std::iota(options.images.begin(), options.images.end(), 0);
    options.augment.height = 16;
    options.augment.width = 20;
    options.seed = 5;
    options.data_seed = data_seed;
    options.damaged = damaged;
    options.channels_last = channels_last;
    return JpegDataset(archive, options);
  }
  static at::Tensor input(const JpegDataset& dataset, const SampleAddress& address,
                          Augment augment = Augment::training) {
    return dataset.collate({address}, augment).inputs.at(0)[0];
  }
  TemporaryFolder folder;
  JpegImagenet imagenet;
};
class JpegDatasetDamage : public JpegDatasetInputs {};

TEST_F(JpegDatasetInputs, BatchHasTheDocumentedShapesAndTypes) {
  for (const bool channels_last : {false, true}) {
    const JpegDataset dataset = open(0, channels_last);
    EXPECT_EQ(dataset.size(), 18);
    EXPECT_EQ(dataset.classes(), 3);
    EXPECT_THAT(dataset.input_shape(), ElementsAre(3, 16, 20));
    EXPECT_TRUE(dataset.slow_to_load());
    EXPECT_EQ(dataset.resident_bytes(), 0);
    const Batch batch = dataset.collate({{17, 0}, {0, 1}, {6, 2}}, Augment::training);
    ASSERT_EQ(batch.inputs.size(), 1U);
    EXPECT_THAT(batch.inputs[0].sizes(), ElementsAre(3, 3, 16, 20));
    EXPECT_EQ(batch.inputs[0].scalar_type(), at::kFloat);
    EXPECT_EQ(batch.inputs[0].is_contiguous(at::MemoryFormat::ChannelsLast), channels_last);
    EXPECT_TRUE(batch.labels.equal(at::tensor({2, 0, 1}, at::kLong)));
    EXPECT_TRUE(batch.sample_ids.equal(at::tensor({17, 0, 6}, at::kLong)));
    EXPECT_TRUE(dataset.labels().equal(at::arange(3).repeat_interleave(6)));
    EXPECT_TRUE(dataset.class_counts().equal(at::full({3}, 6, at::kLong)));
    EXPECT_EQ(dataset.collate({}, Augment::none).rows(), 0);
    EXPECT_THROW(dataset.collate({{18, 0}}, Augment::none), UsageError);
    EXPECT_THROW(dataset.collate({{-1, 0}}, Augment::none), UsageError);
  }
  EXPECT_TRUE(open(0, false)
                  .collate({{3, 4}}, Augment::training)
                  .inputs[0]
                  .equal(open(0, true).collate({{3, 4}}, Augment::training).inputs[0]));
}

TEST_F(JpegDatasetInputs, AnInputIsTheAugmentedImage) {
  const JpegDataset dataset = open();
  JpegAugmentOptions options;
  options.height = 16;
  options.width = 20;
  const JpegAugmentation augmentation(options, 5);
  const std::string file = JpegImagenet::jpeg(1, 2);
  JpegAugmentation::Scratch scratch;
  for (const Augment augment : {Augment::training, Augment::none}) {
    at::Tensor wanted = at::empty({16, 20, 3});
    augmentation.apply(reinterpret_cast<const uint8_t*>(file.data()), file.size(), "", {8, 3}, augment,
                       scratch, wanted.data_ptr<float>());
    EXPECT_TRUE(input(dataset, {8, 3}, augment).equal(wanted.permute({2, 0, 1})));
  }
}

TEST_F(JpegDatasetInputs, IsLoadedByAllCoresBesideADeviceAndByOneBesideThem) {
  const JpegDataset dataset = open();
  cluster::Placement placement;
  placement.threads = 5;
  EXPECT_EQ(loading_workers(dataset, placement), 1);
  placement.device = c10::Device(c10::DeviceType::CUDA, 0);
  EXPECT_EQ(loading_workers(dataset, placement), 5);
  TaskOptions generated;
  generated.data = "generated";
  EXPECT_EQ(loading_workers(*open_task(generated, 1).train, placement), 1);
}

/// What ImageNet has none of, and folders of one's own may have.
TEST_F(JpegDatasetInputs, ImagesOfAnySizeAreTaken) {
  imagenet.damage = [](const std::string& file, bool training, int label, int image) {
    if (!training || label != 0 || image > 1) return file;
    const int side = image == 0 ? 1 : 10000;
    const auto bytes = make_jpeg(std::vector<uint8_t>(static_cast<size_t>(side) * 3, 200), side, side, {},
                                 /*same_row=*/true);
    return std::string(bytes.begin(), bytes.end());
  };
  const JpegDataset dataset = open(0);
  for (const Augment augment : {Augment::training, Augment::none})
    for (const int64_t sample : {0, 1}) {
      const at::Tensor seen = input(dataset, {sample, 0}, augment);
      EXPECT_LT((seen - (200 / 127.5 - 1)).abs().max().item<float>(), 0.02) << sample;
    }
}

TEST_F(JpegDatasetInputs, SplitsAndTheirFingerprintsDiffer) {
  const JpegDataset whole = open();
  const auto archive = std::make_shared<const ImageArchive>(folder / "index", "train");
  EXPECT_EQ(whole.fingerprint(), archive->fingerprint());
  JpegDatasetOptions options;
  options.images = {2, 9, 16};
  const JpegDataset part(archive, options);
  EXPECT_TRUE(part.labels().equal(at::tensor({0, 1, 2}, at::kLong)));
  EXPECT_NE(part.fingerprint(), whole.fingerprint());
  options.images = {2, 9, 17};
  EXPECT_NE(JpegDataset(archive, options).fingerprint(), part.fingerprint());
}

TEST_F(JpegDatasetDamage, AnotherImageOfTheClassStandsIn) {
  imagenet.damage = [](const std::string& file, bool training, int label, int image) {
    if (training && label == 1 && image == 2) return cut(file);
    if (training && label == 2 && image == 0) return std::string("<html>not found</html>");
    return file;
  };
  const JpegDataset dataset = open();
  const Batch batch = dataset.collate({{8, 3}, {12, 3}, {8, 3}}, Augment::training);
  EXPECT_TRUE(batch.labels.equal(at::tensor({1, 2, 1}, at::kLong)));
  EXPECT_TRUE(batch.sample_ids.equal(at::tensor({8, 12, 8}, at::kLong)));

  EXPECT_EQ(batch.stand_ins, 3);
  EXPECT_EQ(dataset.collate({{0, 0}, {9, 0}}, Augment::none).stand_ins, 0);
  const auto damaged = dataset.damaged_images()->take_new();
  ASSERT_EQ(damaged.size(), 2U) << "each is named once";
  EXPECT_EQ(damaged[0].sample, 8);
  EXPECT_THAT(damaged[0].problem, HasSubstr("n00001001_102.JPEG"));
  EXPECT_EQ(damaged[1].sample, 12);
  EXPECT_THAT(damaged[1].problem, HasSubstr("n00001002_100.JPEG"));
  EXPECT_TRUE(dataset.damaged_images()->take_new().empty());
  input(dataset, {8, 4});
  EXPECT_TRUE(dataset.damaged_images()->take_new().empty());

  // Of its class, seen under the random numbers of the one whose place it takes.
  const int64_t stand_in = damaged[0].stand_in;
  EXPECT_NE(stand_in, 8);
  EXPECT_EQ(dataset.labels()[stand_in].item<int64_t>(), 1);
  JpegAugmentOptions options;
  options.height = 16;
  options.width = 20;
  const std::string file = JpegImagenet::jpeg(1, static_cast<int>(stand_in - 6));
  JpegAugmentation::Scratch scratch;
  at::Tensor wanted = at::empty({16, 20, 3});
  JpegAugmentation(options, 5)
      .apply(reinterpret_cast<const uint8_t*>(file.data()), file.size(), "", {8, 3}, Augment::training,
             scratch, wanted.data_ptr<float>());
  EXPECT_TRUE(batch.inputs[0][0].equal(wanted.permute({2, 0, 1})));
}

TEST_F(JpegDatasetDamage, StandInsAreTheSameWhoeverLooksAndWhen) {
  imagenet.images = 40;
  imagenet.damage = [](const std::string& file, bool, int, int image) {
    return image % 4 == 1 ? cut(file) : file;
  };
  const JpegDataset one = open();
  std::vector<SampleAddress> all;
  for (int64_t i = 0; i < one.size(); ++i) all.push_back({i, i % 2});
  const at::Tensor inputs = one.collate(all, Augment::training).inputs[0];
  // Backwards, one by one, on two threads.
  const JpegDataset other = open();
  std::atomic<int64_t> next{one.size()};
  std::atomic<int> wrong{0};
  const auto work = [&] {
    for (int64_t i = --next; i >= 0; i = --next)
      wrong += !input(other, all[static_cast<size_t>(i)]).equal(inputs[i]);
  };
  std::thread beside(work);
  work();
  beside.join();
  EXPECT_EQ(wrong, 0);
  auto by_sample = [](std::vector<DamagedSample> list) {
    std::vector<std::pair<int64_t, int64_t>> pairs;
    for (const auto& damaged : list) pairs.emplace_back(damaged.sample, damaged.stand_in);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
  };
  const auto found = by_sample(one.damaged_images()->take_new());
  EXPECT_EQ(found, by_sample(other.damaged_images()->take_new()));
  EXPECT_EQ(found.size(), 30U);
  // The seed of the data decides who stands in.
  const JpegDataset seeded = open(0.5, true, 2);
  seeded.collate(all, Augment::training);
  EXPECT_NE(found, by_sample(seeded.damaged_images()->take_new()));
}

/// Rows below a crop are not decoded, so one epoch may see damage that another does not. What an epoch shows
/// must not depend on whether the other was seen before.
TEST_F(JpegDatasetDamage, ACropThatIsWholeIsUsedWhateverWasSeenBefore) {
  imagenet.damage = [](const std::string& file, bool training, int label, int image) {
    if (!training || label != 0 || image != 0) return file;
    // A marker in the middle of the last rows, and the end where it was.
    const auto large = make_jpeg(busy_picture(400, 300, 3), 400, 300);
    std::string changed(large.begin(), large.end());
    changed.replace(changed.size() * 9 / 10, 2, "\xff\xd3");
    return changed;
  };
  const JpegDataset seen = open();
  std::vector<int64_t> whole, damaged;
  for (int64_t epoch = 0; epoch < 60; ++epoch) {
    const JpegDataset fresh = open();
    const at::Tensor alone = input(fresh, {0, epoch});
    EXPECT_TRUE(input(seen, {0, epoch}).equal(alone)) << epoch;
    (fresh.damaged_images()->take_new().empty() ? whole : damaged).push_back(epoch);
  }
  EXPECT_GT(whole.size(), 5U);
  EXPECT_GT(damaged.size(), 5U);
  EXPECT_EQ(seen.damaged_images()->take_new().size(), 1U);
}

TEST_F(JpegDatasetDamage, TooManyEndTheRun) {
  imagenet.damage = [](const std::string& file, bool training, int, int image) {
    return training && image < 2 ? cut(file) : file;
  };
  // 6 of 18 are damaged.
  std::vector<SampleAddress> all;
  for (int64_t i = 0; i < 18; ++i) all.push_back({i, 0});
  open(6.0 / 18).collate(all, Augment::none);
  try {
    open(5.0 / 18).collate(all, Augment::none);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("6 of 18 images found damaged"));
    EXPECT_THAT(error.what(), HasSubstr("n00001002_101.JPEG"));
    EXPECT_THAT(error.what(), HasSubstr("task.damaged"));
  }
  EXPECT_THROW(open(0).collate(all, Augment::none), DataError);
}

TEST_F(JpegDatasetDamage, AClassWithoutAWholeImageIsAnError) {
  imagenet.damage = [](const std::string& file, bool training, int label, int) {
    return training && label == 1 ? cut(file) : file;
  };
  const JpegDataset dataset = open(1);
  input(dataset, {0, 0});
  try {
    input(dataset, {7, 0});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no image of class n00001001 can be decoded"));
    EXPECT_THAT(error.what(), HasSubstr("n00001001_101.JPEG"));
  }
}

}  // namespace
}  // namespace smoothlab::data
