#include "data/batch_augmentation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "augmentation_chains.h"

namespace smoothlab::data {
namespace {

const c10::Device cpu(c10::DeviceType::CPU);

/// Bits of the elements in the order in which they lie in memory.
std::vector<uint32_t> bits(const float* values, int64_t count) {
  std::vector<uint32_t> result(count);
  std::memcpy(result.data(), values, count * sizeof(float));
  return result;
}

struct Size {
  int64_t height, width, channels;
};

void expect_bits_of_apply(const AugmentOptions& options, const Size& size, const std::string& name) {
  constexpr int64_t count = 11;
  const int64_t bytes = size.height * size.width * size.channels;
  const std::vector<uint8_t> images = pictures(count, bytes);
  const std::vector<SampleAddress> samples = some_samples(count);
  const Augmentation single(options, 7, size.height, size.width, size.channels);
  const int64_t values = size.channels * single.out_height() * single.out_width();
  for (const bool channels_last : {false, true}) {
    const BatchAugmentation whole(single, channels_last);
    const at::Tensor store = whole.make_store(images.data(), count, cpu);
    for (const Augment augment : {Augment::training, Augment::none}) {
      const at::Tensor batch = whole.apply(store, images.data(), samples, augment);
      ASSERT_EQ(batch.sizes(), (std::vector<int64_t>{static_cast<int64_t>(samples.size()), size.channels,
                                                     single.out_height(), single.out_width()}));
      ASSERT_EQ(batch.scalar_type(), at::kFloat);
      ASSERT_TRUE(
          batch.is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
      std::vector<uint8_t> scratch;
      std::vector<float> expected(values);
      for (size_t i = 0; i < samples.size(); ++i) {
        single.apply(images.data() + samples[i].sample * bytes, samples[i], augment, channels_last, scratch,
                     expected.data());
        ASSERT_EQ(bits(batch.data_ptr<float>() + static_cast<int64_t>(i) * values, values),
                  bits(expected.data(), values))
            << name << ", " << size.height << "x" << size.width << "x" << size.channels << ", sample "
            << samples[i].sample << " of epoch " << samples[i].epoch;
      }
    }
  }
}

TEST(BatchAugmentation, HasTheBitsOfSingleImages) {
  for (const auto& [name, options] : chains())
    for (const Size& size : {Size{9, 7, 1}, Size{7, 9, 3}, Size{8, 8, 3}, Size{6, 11, 4}})
      expect_bits_of_apply(options, size, name);
}

TEST(BatchAugmentation, HasTheBitsOfSingleImagesInTheTutorialChain) {
  expect_bits_of_apply(tutorial_chain(), {32, 32, 3}, "tutorial");
}

TEST(BatchAugmentation, StoreHasZerosBelowAndToTheRight) {
  const std::vector<uint8_t> images = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const BatchAugmentation whole(Augmentation({}, 1, 2, 3, 1), false);
  const at::Tensor store = whole.make_store(images.data(), 2, cpu);
  EXPECT_TRUE(store.equal(
      at::tensor({1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0, 7, 8, 9, 0, 10, 11, 12, 0, 0, 0, 0, 0}, at::kByte)
          .view({2, 3, 4, 1})));
  EXPECT_EQ(whole.store_bytes(2), 24);
}

TEST(BatchAugmentation, StoreOfManyImagesIsCopiedInPieces) {
  constexpr int64_t count = 10000;
  const std::vector<uint8_t> images = pictures(count, 6);
  AugmentOptions options;
  options.normalize = "none";
  const BatchAugmentation whole(Augmentation(options, 1, 1, 2, 3), true);
  const at::Tensor store = whole.make_store(images.data(), count, cpu);
  const std::vector<SampleAddress> samples = {{0, 0}, {4095, 0}, {4096, 0}, {8192, 0}, {9999, 0}};
  const at::Tensor batch =
      whole.apply(store, images.data(), samples, Augment::none).permute({0, 2, 3, 1}).contiguous();
  for (size_t i = 0; i < samples.size(); ++i)
    for (int64_t v = 0; v < 6; ++v)
      EXPECT_EQ(batch.data_ptr<float>()[i * 6 + v], images[samples[i].sample * 6 + v]) << i;
}

TEST(BatchAugmentation, NoSamplesMakeAnEmptyBatch) {
  const std::vector<uint8_t> images(48);
  const BatchAugmentation whole(Augmentation({}, 1, 4, 4, 3), true);
  EXPECT_EQ(
      whole.apply(whole.make_store(images.data(), 1, cpu), images.data(), {}, Augment::training).sizes(),
      (std::vector<int64_t>{0, 3, 4, 4}));
}

}  // namespace
}  // namespace smoothlab::data
